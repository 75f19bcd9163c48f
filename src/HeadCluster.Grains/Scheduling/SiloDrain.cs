using System.Runtime.ExceptionServices;
using HeadCluster.Grains;

namespace HeadCluster.Scheduling;

/// <summary>This silo's going: from the moment that it is to drain, it gets no heads, and what it has is moved to others.</summary>
public sealed class SiloDrain
{
    private readonly LocalGrains _local;
    private readonly IGrainFactory _grains;
    private readonly ISiloStatusOracle _silos;
    private readonly SiloAddress _here;
    private volatile bool _isDraining;

    internal SiloDrain(LocalGrains local, IGrainFactory grains, ISiloStatusOracle silos, ILocalSiloDetails silo)
    {
        _local = local;
        _grains = grains;
        _silos = silos;
        _here = silo.SiloAddress;
    }

    /// <summary>Whether it is draining; it is until it is started anew.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>Moves all that this silo has to others, which serve it from then on; nothing if there are no others.</summary>
    /// <exception cref="Exception">The first reason why something is left: the others have not the memory for it, or do not answer.</exception>
    /// <exception cref="OperationCanceledException">Time ran out before; what else had kept something here is told with it.</exception>
    public async Task DrainAsync(CancellationToken cancellationToken = default)
    {
        Begin();
        if (_silos.GetApproximateSiloStatuses(onlyActive: true).Keys.All(_here.Equals))
        {
            return;
        }

        // Until nothing is left that moves: what was on its way here when this began may have come meanwhile.
        Exception? failure = null;
        int moved;
        do
        {
            var before = failure;
            (failure, moved) = (null, 0);
            foreach (var model in _local.Models)
            {
                try
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    moved += await _grains.GetGrain<IHeadSchedulerGrain>(model).DrainAsync(_here, cancellationToken).CountAsync(cancellationToken);
                }
                catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
                {
                    const string Late = "time ran out before all that can move had moved";
                    var reason = failure ?? before;
                    throw new OperationCanceledException(
                        reason is null ? Late : $"{reason.Message}; and {Late}", reason ?? exception, cancellationToken);
                }
                catch (Exception exception)
                {
                    // What cannot move of one model keeps nothing of another here.
                    failure ??= exception;
                }
            }
        }
        while (moved > 0 && _local.Models.Length > 0);

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    internal void Begin() => _isDraining = true;
}
