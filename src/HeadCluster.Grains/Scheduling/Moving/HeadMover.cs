using HeadCluster.Grains;
using Orleans.Core.Internal;

namespace HeadCluster.Scheduling;

/// <summary>
/// Moves heads and coordinators by Orleans' own migration. Each serves where it is until its weights are packed where it goes, so
/// its callers wait for no more than the hand-over.
/// </summary>
internal sealed class HeadMover
{
    /// <summary>A grain first ends the requests that it is computing.</summary>
    private static readonly TimeSpan HandOver = TimeSpan.FromSeconds(30);

    private readonly SchedulingAgentClient _agents;
    private readonly IGrainFactory _grains;
    private readonly TimeProvider _time;

    public HeadMover(SchedulingAgentClient agents, IGrainFactory grains, TimeProvider time)
    {
        _agents = agents;
        _grains = grains;
        _time = time;
    }

    /// <summary>Moves a head, or activates it.</summary>
    /// <param name="head">The head.</param>
    /// <param name="from">Where it is; null if it is not active.</param>
    /// <param name="to">Where it goes.</param>
    /// <param name="cancellationToken">Ends the wait; the head may move all the same.</param>
    /// <exception cref="HeadClusterException">There is no memory for it there, its file cannot be read, or it did not come.</exception>
    public async Task MoveAsync(HeadId head, SiloAddress? from, SiloAddress to, CancellationToken cancellationToken)
    {
        var target = _agents.On(to);
        await target.PrepareAsync(head, cancellationToken);
        var grain = _grains.GetGrain<IAttentionHeadGrain>(head.ToString());
        await HandOverAsync(
            $"head {head}",
            to,
            async end =>
            {
                if (from is not null)
                {
                    await MigrateAsync(grain, to);
                }

                using (PlacementHint.On(to))
                {
                    await HeadCalls.FindAsync(grain, _time, end);
                }

                await target.ArriveAsync(head, end);
            },
            () => target.DiscardAsync(head, CancellationToken.None),
            cancellationToken);
    }

    /// <summary>Moves the grain of a layer or of a whole model.</summary>
    /// <exception cref="HeadClusterException">There is no memory for it there, its file cannot be read, or it did not come.</exception>
    public async Task MoveCoordinatorAsync(GrainId coordinator, SiloAddress to, CancellationToken cancellationToken)
    {
        var target = _agents.On(to);
        await target.PrepareCoordinatorAsync(coordinator, cancellationToken);
        await HandOverAsync(
            coordinator.ToString(),
            to,
            async end =>
            {
                await MigrateAsync(_grains.GetGrain<IWeightGrain>(coordinator), to);
                await target.ArriveCoordinatorAsync(coordinator, end);
            },
            () => target.DiscardCoordinatorAsync(coordinator, CancellationToken.None),
            cancellationToken);
    }

    private static async Task MigrateAsync(IAddressable grain, SiloAddress to)
    {
        using (PlacementHint.On(to))
        {
            await grain.Cast<IGrainManagementExtension>().MigrateOnIdle();
        }
    }

    private async Task HandOverAsync(
        string who, SiloAddress to, Func<CancellationToken, Task> handOver, Func<Task> discard, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(HandOver, _time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var moving = handOver(end.Token);
        try
        {
            await moving.WaitAsync(end.Token);
        }
        catch (Exception exception) when (exception is not HeadClusterException && SiloLoss.Is(exception) && !cancellationToken.IsCancellationRequested)
        {
            // The target has just answered; it may as well be where this was, or who computes there.
            var reason = limit.IsCancellationRequested ? $" within {HandOver.TotalSeconds:0} s" : $": {exception.Message.ReplaceLineEndings(" ")}";
            throw new HeadClusterException(HeadClusterErrorKind.Unavailable, $"{who} did not come to silo {to}{reason}");
        }
        finally
        {
            moving.Ignore();

            // What it has not taken: it did not come, or a call had activated it there meanwhile.
            await DiscardAsync(discard);
        }
    }

    private static async Task DiscardAsync(Func<Task> discard)
    {
        try
        {
            await discard();
        }
        catch (Exception exception) when (SiloLoss.Is(exception))
        {
            // Its silo has gone, and with it what was to be undone.
        }
    }
}
