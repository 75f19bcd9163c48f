using System.Text.Json.Serialization.Metadata;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace HeadCluster.Cli.Output;

/// <summary>What a command answers goes to the output stream; whatever else the process prints goes to the error stream.</summary>
internal sealed class Terminal
{
    // A pipe has no width of its own: nothing is cut there, and no line is in two.
    private const int PipeWidth = 1 << 16;

    private readonly IAnsiConsole _console;

    private Terminal(TextWriter output)
    {
        Output = output;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        if (Console.IsOutputRedirected)
        {
            _console.Profile.Width = PipeWidth;
        }
    }

    /// <summary>The output stream.</summary>
    public TextWriter Output { get; }

    /// <summary>
    /// Takes the output stream for answers. Libraries that print on the console, such as the exporter of spans, print on the
    /// error stream from then on.
    /// </summary>
    public static Terminal TakeOver()
    {
        var output = Console.Out;
        Console.SetOut(Console.Error);
        return new Terminal(output);
    }

    /// <summary>Waits for some work; who watches the error stream on a terminal sees what for.</summary>
    public static Task<T> WaitAsync<T>(string what, Func<Task<T>> work) => Console.IsErrorRedirected
        ? work()
        : Progress().StartAsync(what, _ => work());

    /// <summary>Signs in a line.</summary>
    public int Width => _console.Profile.Width;

    /// <summary>Whether somebody watches the output, so that it may change in place.</summary>
    public bool IsInteractive => !Console.IsOutputRedirected;

    /// <summary>Shows something that changes, in place, until cancelled.</summary>
    /// <param name="draw">Draws it, given how many lines there are.</param>
    /// <param name="lookAsync">Finds out what to draw next.</param>
    /// <param name="interval">From one drawing to the next look.</param>
    /// <param name="cancellationToken">Ends it, as whoever watches is expected to do.</param>
    public async Task WatchAsync(
        Func<int, IRenderable> draw, Func<CancellationToken, Task> lookAsync, TimeSpan interval, CancellationToken cancellationToken)
    {
        try
        {
            await _console.Live(draw(_console.Profile.Height)).StartAsync(async live =>
            {
                while (true)
                {
                    live.UpdateTarget(draw(_console.Profile.Height));
                    await Task.Delay(interval, TimeProvider.System, cancellationToken);
                    await lookAsync(cancellationToken);
                }
            });
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Writes a table or other piece of layout.</summary>
    public void Write(IRenderable piece) => _console.Write(piece);

    /// <summary>Writes a line as it is.</summary>
    public void WriteLine(string text = "") => Output.WriteLine(text);

    /// <summary>Writes a part of a line at once, for whoever watches.</summary>
    public void WritePart(string text)
    {
        Output.Write(text);
        Output.Flush();
    }

    /// <summary>Writes one JSON object on a line of its own.</summary>
    public void WriteJson<T>(T value, JsonTypeInfo<T> type) => Output.WriteLine(System.Text.Json.JsonSerializer.Serialize(value, type));

    // It erases itself, so that nothing of it is left above the answer.
    private static Status Progress() =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).Status();
}
