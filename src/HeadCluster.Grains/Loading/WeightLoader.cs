using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>
/// Loads weights into memory that it reserves first. What is about to be activated here can be prepared, so that it need not be
/// loaded while calls wait for it.
/// </summary>
internal sealed class WeightLoader
{
    /// <summary>Weights that nobody came for are let go of after this.</summary>
    private static readonly TimeSpan PreparedFor = TimeSpan.FromMinutes(1);

    /// <summary>In bytes. To read more than this may take a disk seconds, in which a compute thread would serve no head.</summary>
    private const long Large = 64 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, OwnersLoad> _loads = new(StringComparer.Ordinal);
    private readonly WeightMemory _memory;
    private readonly ComputePool _compute;
    private readonly TimeProvider _time;

    public WeightLoader(WeightMemory memory, ComputePool compute, TimeProvider time)
    {
        _memory = memory;
        _compute = compute;
        _time = time;
    }

    /// <summary>The weights, and their memory until it is disposed: those that are prepared or being so, or else they are loaded.</summary>
    /// <exception cref="HeadClusterException">There is no memory for them, or their file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Nobody waits for them any more; their memory is given back.</exception>
    public async Task<(TWeights Weights, IDisposable Reserved)> LoadAsync<TWeights>(WeightLoad<TWeights> load, CancellationToken cancellationToken)
        where TWeights : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var loaded = await Join(load, take: true, load.Bytes > Large ? OnThreadOfItsOwn : OnComputeThread).Loading;

        // Orleans deactivates no activation that it has given up, so that nobody else would give the memory back.
        if (cancellationToken.IsCancellationRequested)
        {
            loaded.Reserved.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
        }

        return ((TWeights)loaded.Weights, loaded.Reserved);

        // Reading waits for a disk, which a turn must not.
        Task OnComputeThread(Action read) => _compute.RunAsync(ComputePool.InlineOperations, _ => read(), cancellationToken: cancellationToken);
    }

    /// <summary>Loads weights for what is to be activated here within a minute, unless an activation is loading them already.</summary>
    /// <param name="load">The weights.</param>
    /// <param name="cancellationToken">Ends the wait. Loading goes on, so that whoever asks again does not begin anew.</param>
    /// <exception cref="HeadClusterException">There is no memory for them, or their file cannot be read.</exception>
    public async Task PrepareAsync<TWeights>(WeightLoad<TWeights> load, CancellationToken cancellationToken)
        where TWeights : class
    {
        while (true)
        {
            // What is served where it is need not hurry.
            var joined = Join(load, take: false, OnThreadOfItsOwn);
            try
            {
                await joined.Loading.WaitAsync(cancellationToken);
                return;
            }
            catch (OperationCanceledException) when (joined.IsTaken && !cancellationToken.IsCancellationRequested)
            {
                // The activation that was to have them was given up before it loaded them.
            }
        }
    }

    /// <summary>Lets go of weights that were prepared and that nobody will come for.</summary>
    public void Discard(string owner) => Discard(owner, only: null);

    // The load of these weights that goes on or is prepared, or else a new one: they are loaded once, whoever comes first.
    private OwnersLoad Join<TWeights>(WeightLoad<TWeights> load, bool take, Func<Action, Task> run)
        where TWeights : class
    {
        lock (_lock)
        {
            // What an activation has taken is no other's: that activation was given up.
            if (_loads.TryGetValue(load.Owner, out var known) && !(take && known.IsTaken))
            {
                if (take)
                {
                    Take(load.Owner, known);
                }

                return known;
            }

            var begun = new OwnersLoad { IsTaken = take };
            _loads[load.Owner] = begun;
            begun.Loading = LoadAsync(load, begun, run);
            return begun;
        }
    }

    private async Task<Loaded> LoadAsync<TWeights>(WeightLoad<TWeights> load, OwnersLoad own, Func<Action, Task> run)
        where TWeights : class
    {
        try
        {
            var loaded = await LoadAsync(load, run);
            lock (_lock)
            {
                if (own.IsTaken)
                {
                    Forget(load.Owner, own);
                }
                else if (_loads.GetValueOrDefault(load.Owner) == own)
                {
                    own.Expiry = _time.CreateTimer(_ => Discard(load.Owner, own), null, PreparedFor, Timeout.InfiniteTimeSpan);
                }
            }

            return loaded;
        }
        catch
        {
            lock (_lock)
            {
                Forget(load.Owner, own);
            }

            throw;
        }
    }

    private async Task<Loaded> LoadAsync<TWeights>(WeightLoad<TWeights> load, Func<Action, Task> run)
        where TWeights : class
    {
        var reserved = _memory.Reserve(load.Bytes, load.Model, load.Owner);
        try
        {
            var weights = default(TWeights);
            await run(() => weights = load.Load());
            return new Loaded(weights!, reserved);
        }
        catch (Exception exception)
        {
            reserved.Dispose();
            if (exception is ModelException)
            {
                throw new HeadClusterException(HeadClusterErrorKind.InvalidModel, exception.Message);
            }

            throw;
        }
    }

    // An activation's from here on, which a preparation finds for as long as it is loading.
    private void Take(string owner, OwnersLoad load)
    {
        load.IsTaken = true;
        if (load.Expiry is not null)
        {
            Forget(owner, load);
        }
    }

    private void Forget(string owner, OwnersLoad load)
    {
        load.Expiry?.Dispose();
        if (_loads.GetValueOrDefault(owner) == load)
        {
            _loads.Remove(owner);
        }
    }

    // What was prepared; if that is not what is meant, nothing.
    private void Discard(string owner, OwnersLoad? only)
    {
        lock (_lock)
        {
            if (_loads.TryGetValue(owner, out var load) && !load.IsTaken && (only ?? load) == load)
            {
                Forget(owner, load);
                _ = GiveBackAsync(load.Loading);
            }
        }
    }

    // Once it is there, if it comes.
    private static async Task GiveBackAsync(Task<Loaded> loading)
    {
        await ((Task)loading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (loading.IsCompletedSuccessfully)
        {
            (await loading).Reserved.Dispose();
        }
    }

    private static Task OnThreadOfItsOwn(Action read) =>
        Task.Factory.StartNew(read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private sealed record Loaded(object Weights, IDisposable Reserved);

    private sealed class OwnersLoad
    {
        public Task<Loaded> Loading { get; set; } = null!;

        /// <summary>Whether an activation has them; if not, they are prepared for one.</summary>
        public bool IsTaken { get; set; }

        /// <summary>When prepared weights are let go of; null until they are there.</summary>
        public ITimer? Expiry { get; set; }
    }
}
