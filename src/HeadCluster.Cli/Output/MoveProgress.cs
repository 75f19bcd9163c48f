using Spectre.Console;

namespace HeadCluster.Cli.Output;

/// <summary>Moves as they are made: a line each, and a bar for who watches a terminal.</summary>
internal static class MoveProgress
{
    /// <summary>Shows moves until the last has been made. Those that were made are shown also where a later one fails.</summary>
    /// <param name="terminal">Where the lines go.</param>
    /// <param name="writeJson">Writes all of them at once instead; null for lines.</param>
    /// <param name="names">The silos' names.</param>
    /// <param name="moves">The moves.</param>
    /// <param name="cancellationToken">Stops them.</param>
    /// <returns>The moves, all of which were made.</returns>
    public static async Task<IReadOnlyList<MoveReport>> ShowAsync(
        Terminal terminal,
        Action<IReadOnlyList<MoveReport>>? writeJson,
        SiloNames names,
        IAsyncEnumerable<MoveReport> moves,
        CancellationToken cancellationToken)
    {
        var made = new List<MoveReport>();
        try
        {
            if (writeJson is not null)
            {
                await FollowAsync(_ => { });
            }
            else if (Console.IsErrorRedirected)
            {
                await FollowAsync(WriteLine);
            }
            else
            {
                await FollowWithBarAsync();
            }
        }
        catch when (made.Count > 0)
        {
            writeJson?.Invoke(made);
            throw;
        }

        writeJson?.Invoke(made);
        return made;

        async Task FollowAsync(Action<MoveReport> show)
        {
            await foreach (var move in moves.WithCancellation(cancellationToken))
            {
                made.Add(move);
                show(move);
            }
        }

        // On the same terminal a line would tear the bar apart, and comes after it.
        async Task FollowWithBarAsync()
        {
            Action<MoveReport> show = terminal.IsInteractive ? _ => { } : WriteLine;
            try
            {
                await AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).Progress().AutoClear(true)
                    .StartAsync(context =>
                    {
                        var bar = context.AddTask("Moving heads");
                        return FollowAsync(move =>
                        {
                            bar.MaxValue(move.Total).Value(move.Done);
                            show(move);
                        });
                    });
            }
            finally
            {
                if (terminal.IsInteractive)
                {
                    made.ForEach(WriteLine);
                }
            }
        }

        void WriteLine(MoveReport move) => terminal.WriteLine(Line(move, names));
    }

    /// <summary>A move as a line.</summary>
    public static string Line(MoveReport move, SiloNames names)
    {
        var what = move.Head is { } head ? head.ToString() : "coordinator";
        var from = move.From is null ? "" : $"{names.Of(move.From)} ";
        return $"  {what}: {from}→ {names.Of(move.To)}, {move.Bytes / 1024} KiB in {move.Elapsed.Milliseconds()} ms";
    }
}
