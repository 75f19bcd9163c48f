using HeadCluster.Cli.Output;
using Spectre.Console;

namespace HeadCluster.Cli.Heads;

/// <summary>Heads and what they have done, as a table.</summary>
internal static class HeadTable
{
    /// <summary>Lays the heads out in their order.</summary>
    /// <param name="heads">The heads.</param>
    /// <param name="names">The silos' names.</param>
    /// <param name="width">Signs in a line.</param>
    public static Table Of(IEnumerable<HeadStatistics> heads, SiloNames names, int width)
    {
        var columns = HeadColumn.Fitting(width);
        var table = Tables.Create([.. columns.Select(column => column.Title)]);
        foreach (var head in heads)
        {
            // One line a head, whatever the model is called.
            table.AddRow(columns.Select(column => new Text(column.Text(head, names)) { Overflow = Overflow.Ellipsis }));
        }

        return table;
    }
}
