using HeadCluster.Grains;
using HeadCluster.Kernels;
using Microsoft.Extensions.Logging;

namespace HeadCluster.Hosting;

/// <summary>
/// Keeps a silo from joining others that would give other bits: heads of one request may be computed on any of them. That is what
/// happens when a version that changes the rules of docs/numerics.md, or what messages mean, replaces another silo by silo.
/// </summary>
internal sealed partial class NumericsCheck : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>What silos that work answer within; of others nothing is known, and a start is not to depend on them.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Task<NumericsFingerprint> _fingerprint;
    private readonly ISiloStatusOracle _silos;
    private readonly HeadRelayClient _relays;
    private readonly TimeProvider _time;
    private readonly ILogger<NumericsCheck> _logger;

    public NumericsCheck(Task<NumericsFingerprint> fingerprint, ISiloStatusOracle silos, HeadRelayClient relays, TimeProvider time, ILogger<NumericsCheck> logger)
    {
        _fingerprint = fingerprint;
        _silos = silos;
        _relays = relays;
        _time = time;
        _logger = logger;
    }

    /// <summary>Has the silo look at the others when it can call them, before any of them calls it.</summary>
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe<NumericsCheck>(ServiceLifecycleStage.BecomeActive - 1, CheckAsync);

    // Of two silos that join at the same time, the one that was listed as joining last sees the other.
    private Task CheckAsync(CancellationToken cancellationToken) => Task.WhenAll(
        from silo in _silos.GetApproximateSiloStatuses()
        where silo.Value is SiloStatus.Joining or SiloStatus.Active && !silo.Key.Equals(_silos.SiloAddress)
        select CheckAsync(silo.Key, cancellationToken));

    private async Task CheckAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        string there;
        try
        {
            there = await _relays.On(silo).GetFingerprintAsync(cancellationToken).WaitAsync(Patience, _time, cancellationToken);
        }
        catch (Exception exception) when (SiloLoss.Is(exception) && !cancellationToken.IsCancellationRequested)
        {
            LogUnknown(silo, exception.Message.ReplaceLineEndings(" "));
            return;
        }

        var here = HeadRelay.Contract(await _fingerprint);
        if (there != here)
        {
            throw HeadClusterException.InvalidInput(
                $"silo {silo} of this cluster computes by another numerics contract: its fingerprint is {there[..10]}…, this silo's {here[..10]}…; stop all silos of the other version before the first of this one starts (docs/operations.md)");
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Whether silo {Silo} computes by the same numerics contract is not known: {Reason}")]
    private partial void LogUnknown(SiloAddress silo, string reason);
}
