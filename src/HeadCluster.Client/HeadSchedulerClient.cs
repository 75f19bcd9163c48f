using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace HeadCluster.Client;

/// <summary>Where the heads of a cluster belong, and how they get there. Obtained from <see cref="HeadClusterClient.Scheduler"/>; thread-safe.</summary>
public sealed class HeadSchedulerClient
{
    private readonly IGrainFactory _grains;
    private readonly GrainCalls _calls;

    internal HeadSchedulerClient(IGrainFactory grains, GrainCalls calls)
    {
        _grains = grains;
        _calls = calls;
    }

    /// <summary>Plans where a model's heads belong and compares it with where they are; nothing moves.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="request">By what to plan; null for the cluster's own strategy and the requests that it served last.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="HeadClusterException">There is no such model or strategy, the silos have not the memory, or one is out of reach.</exception>
    public Task<PlanPreview> PlanAsync(string model, PlanRequest? request = null, CancellationToken cancellationToken = default)
    {
        var scheduler = Scheduler(model);
        return _calls.CallAsync(token => scheduler.PreviewAsync(request ?? new PlanRequest(), token), isServed: null, cancellationToken);
    }

    /// <summary>
    /// Plans and moves heads accordingly; they serve meanwhile. Each move comes as it has been made; what has moved stays if the caller
    /// stops reading.
    /// </summary>
    /// <param name="model">The model's name.</param>
    /// <param name="request">By what to plan; null for the cluster's own strategy and the requests that it served last.</param>
    /// <param name="cancellationToken">Gives up waiting; no further move begins.</param>
    /// <exception cref="HeadClusterException">While enumerating: as of <see cref="PlanAsync"/>, or a head could not be moved.</exception>
    public IAsyncEnumerable<MoveReport> ApplyAsync(string model, PlanRequest? request = null, CancellationToken cancellationToken = default)
    {
        var scheduler = Scheduler(model);
        return _calls.StreamAsync<MoveReport>((_, _, token) => scheduler.ApplyAsync(request ?? new PlanRequest(), token), isServed: null, cancellationToken);
    }

    /// <summary>Moves one head to a silo, or activates it there.</summary>
    /// <param name="head">The head.</param>
    /// <param name="silo">The silo.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="HeadClusterException">There is no such head or silo, or the silo has not the memory.</exception>
    public Task<MoveReport> MoveAsync(HeadId head, SiloAddress silo, CancellationToken cancellationToken = default)
    {
        var scheduler = Scheduler(head.Model);
        return _calls.CallAsync(token => scheduler.MoveAsync(head, silo, token), isServed: null, cancellationToken);
    }

    /// <summary>
    /// Moves everything away from a silo, model by model; it gets nothing more until it is started anew. Requests are served meanwhile.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="cancellationToken">Gives up waiting; no further move begins.</param>
    /// <exception cref="HeadClusterException">While enumerating: no other silo has the memory for some of it, or one is out of reach.</exception>
    public async IAsyncEnumerable<MoveReport> DrainAsync(SiloAddress silo, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var status = await _calls.CallAsync(token => _grains.GetGrain<IClusterStatusGrain>(0).GetStatusAsync(token), isServed: null, cancellationToken);
        var models = status.Models.Select(model => model.Name).Union(status.Heads.Select(head => head.Head.Model), StringComparer.Ordinal);
        HeadClusterException? failure = null;
        foreach (var model in models.Order(StringComparer.Ordinal))
        {
            var scheduler = Scheduler(model);
            await using var moves = _calls.StreamAsync<MoveReport>((_, _, token) => scheduler.DrainAsync(silo, token), isServed: null, cancellationToken)
                .GetAsyncEnumerator(CancellationToken.None);
            while (await NextAsync(moves))
            {
                yield return moves.Current;
            }
        }

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        // What cannot move of one model keeps nothing of another there.
        async Task<bool> NextAsync(IAsyncEnumerator<MoveReport> moves)
        {
            try
            {
                return await moves.MoveNextAsync();
            }
            catch (HeadClusterException exception)
            {
                failure ??= exception;
                return false;
            }
        }
    }

    private IHeadSchedulerGrain Scheduler(string model) => _grains.GetGrain<IHeadSchedulerGrain>(ModelName.Check(model));
}
