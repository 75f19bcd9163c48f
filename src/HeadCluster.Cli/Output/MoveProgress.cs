using Spectre.Console;

namespace HeadCluster.Cli.Output;

/// <summary>Moves as they are made: a line each, and a bar for who watches a terminal.</summary>
internal static class MoveProgress
{
    /// <summary>Shows moves until the last has been made.</summary>
    /// <param name="output">Where the lines go; null for nowhere.</param>
    /// <param name="names">The silos' names.</param>
    /// <param name="moves">The moves.</param>
    /// <param name="cancellationToken">Stops them.</param>
    /// <returns>The moves that were made.</returns>
    public static async Task<List<MoveReport>> ShowAsync(
        Terminal? output, SiloNames names, IAsyncEnumerable<MoveReport> moves, CancellationToken cancellationToken)
    {
        var made = new List<MoveReport>();
        if (output is null || Console.IsErrorRedirected)
        {
            await FollowAsync(bar: null);
        }
        else
        {
            await AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).Progress().AutoClear(true)
                .StartAsync(context => FollowAsync(context.AddTask("Moving heads")));
        }

        foreach (var move in made)
        {
            output?.WriteLine(Line(move, names));
        }

        return made;

        async Task FollowAsync(ProgressTask? bar)
        {
            await foreach (var move in moves.WithCancellation(cancellationToken))
            {
                made.Add(move);
                bar?.MaxValue(move.Total).Value(move.Done);
            }
        }
    }

    /// <summary>A move as a line.</summary>
    public static string Line(MoveReport move, SiloNames names)
    {
        var what = move.Head is { } head ? head.ToString() : "coordinator";
        var from = move.From is null ? "" : $"{names.Of(move.From)} ";
        return $"  {what}: {from}→ {names.Of(move.To)}, {move.Bytes / 1024} KiB in {move.Elapsed.Milliseconds()} ms";
    }
}
