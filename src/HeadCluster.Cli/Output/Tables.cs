using Spectre.Console;

namespace HeadCluster.Cli.Output;

/// <summary>Tables that look alike and read well in a pipe.</summary>
internal static class Tables
{
    /// <summary>A table of these columns; those whose name begins with <c>&gt;</c> hold numbers or times, which are right-aligned and stay in one line.</summary>
    public static Table Create(params ReadOnlySpan<string> columns)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns)
        {
            var isNumber = column.StartsWith('>');
            table.AddColumn(new TableColumn(new Text(column.TrimStart('>')))
            {
                Alignment = isNumber ? Justify.Right : Justify.Left,
                NoWrap = isNumber,
            });
        }

        return table;
    }

    /// <summary>Adds a row of cells that are shown as they are, whatever brackets they hold.</summary>
    public static void Add(this Table table, params ReadOnlySpan<string> cells)
    {
        var texts = new Text[cells.Length];
        for (var i = 0; i < cells.Length; i++)
        {
            texts[i] = new Text(cells[i]);
        }

        table.AddRow(texts);
    }
}
