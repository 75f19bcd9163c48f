using HeadCluster.Grains;
using HeadCluster.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeadCluster.Scheduling;

/// <summary>Wakes the schedulers of the models that this silo has something of. A scheduler that died with its silo is so woken elsewhere.</summary>
internal sealed partial class SchedulingPulse : ILifecycleParticipant<ISiloLifecycle>
{
    private readonly LocalGrains _local;
    private readonly IGrainFactory _grains;
    private readonly SiloSpeed _speed;
    private readonly SchedulingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<SchedulingPulse> _logger;
    private readonly CancellationTokenSource _end = new();
    private Task _beating = Task.CompletedTask;

    public SchedulingPulse(
        LocalGrains local,
        IGrainFactory grains,
        SiloSpeed speed,
        IOptions<HeadClusterOptions> options,
        TimeProvider time,
        ILogger<SchedulingPulse> logger)
    {
        _local = local;
        _grains = grains;
        _speed = speed;
        _options = options.Value.Scheduling;
        _time = time;
        _logger = logger;
    }

    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe<SchedulingPulse>(ServiceLifecycleStage.Active, StartAsync, StopAsync);

    private Task StartAsync(CancellationToken cancellationToken)
    {
        if (_options.Automatic)
        {
            _beating = Task.Run(BeatAsync, CancellationToken.None);
        }

        return Task.CompletedTask;
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        await _end.CancelAsync();
        await _beating.WaitAsync(cancellationToken);
        _end.Dispose();
    }

    private async Task BeatAsync()
    {
        try
        {
            await _speed.CalibrateAsync();
            using var timer = new PeriodicTimer(_options.Period, _time);
            while (await timer.WaitForNextTickAsync(_end.Token))
            {
                foreach (var model in _local.Models)
                {
                    await TickAsync(model);
                }
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The silo stops.
        }
    }

    private async Task TickAsync(string model)
    {
        try
        {
            await _grains.GetGrain<IHeadSchedulerGrain>(model).TickAsync(_end.Token);
        }
        catch (Exception exception) when (!_end.IsCancellationRequested)
        {
            LogNotScheduled(model, exception.Message.ReplaceLineEndings(" "));
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The heads of model {Model} stay where they are for now: {Reason}")]
    private partial void LogNotScheduled(string model, string reason);
}
