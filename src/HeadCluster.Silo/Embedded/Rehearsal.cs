using Microsoft.Extensions.Logging;

namespace HeadCluster.Silo;

/// <summary>
/// Before a silo joins its cluster, two silos within its process serve a layer together, hand heads over to each other, and stop.
/// The runtime compiles meanwhile what serving takes, several thousand methods, which otherwise the first callers wait for: up to
/// half a second for a head that moves to a silo that has just started.
/// </summary>
/// <remarks>Of its own, so that neither status, telemetry nor scheduling ever hears of it.</remarks>
internal sealed partial class Rehearsal
{
    /// <summary>
    /// How long a rehearsal may take. On a free processor it takes three to five seconds; a start is not to depend on it.
    /// </summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // A layer of usual sizes and enough rows that x and z travel in parts and that heads compute on the pool.
    private const string Model = "random:gpt2-small?layers=1";
    private const int ModelDim = 768;
    private const int Rows = 768;

    // Requests that come while the layer's coordinator moves wait and go with it.
    private const int Callers = 2;
    private const int CallerRows = 16;

    private static readonly LayerId Layer = new(Model, 0);

    private readonly TimeProvider _time;
    private readonly ILogger<Rehearsal> _logger;

    public Rehearsal(TimeProvider time, ILogger<Rehearsal> logger)
    {
        _time = time;
        _logger = logger;
    }

    /// <summary>Rehearses; a rehearsal that fails is logged.</summary>
    /// <exception cref="OperationCanceledException">The start was given up.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, _time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await PlayAsync(end.Token);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotRehearsed(exception.Message.ReplaceLineEndings(" "));
        }
    }

    private static async Task PlayAsync(CancellationToken cancellationToken)
    {
        KeyValuePair<string, string?> shutdown = new($"{SiloHostOptions.Section}:{nameof(SiloHostOptions.ShutdownTimeout)}", "00:00:05");
        await using var silos = await EmbeddedSilos.StartAsync("headcluster-rehearsal", ["first", "second"], [shutdown], cancellationToken);

        // The layer's coordinator comes to be on the second, since it is asked there, and heads on both.
        await AttendAsync(silos.Grains(1), Rows, cancellationToken);
        var scheduler = silos.Grains(0).GetGrain<IHeadSchedulerGrain>(Model);
        foreach (var head in (HeadId[])[Layer.Head(0), Layer.Head(1)])
        {
            await scheduler.MoveAsync(head, silos.Address(0), cancellationToken);
            await scheduler.MoveAsync(head, silos.Address(1), cancellationToken);
        }

        await AttendAsync(silos.Grains(0), Rows, cancellationToken);

        // All that it has moves to the first.
        var moved = scheduler.DrainAsync(silos.Address(1), cancellationToken).LastOrDefaultAsync(cancellationToken).AsTask();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => AttendUntilAsync(moved, silos.Grains(0), cancellationToken)));
        await silos.StopLastAsync();
        await AttendAsync(silos.Grains(0), Rows, cancellationToken);
    }

    private static async Task AttendUntilAsync(Task end, IGrainFactory grains, CancellationToken cancellationToken)
    {
        while (!end.IsCompleted)
        {
            await AttendAsync(grains, CallerRows, cancellationToken);
        }

        await end;
    }

    private static Task AttendAsync(IGrainFactory grains, int rows, CancellationToken cancellationToken) =>
        grains.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString()).AttendAsync(
            new AttentionRequest(new FloatTensor(new float[rows * ModelDim], rows, ModelDim)) { Id = Guid.NewGuid() }, cancellationToken);

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "This silo starts without a rehearsal, so that its first requests take longer: {Reason}")]
    private partial void LogNotRehearsed(string reason);
}
