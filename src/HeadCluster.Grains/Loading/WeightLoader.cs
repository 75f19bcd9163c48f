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
    private readonly Dictionary<string, Preparation> _prepared = new(StringComparer.Ordinal);
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
        var loaded = Take(load.Owner) is { } prepared
            ? await prepared.Loading
            : await LoadAsync(load, load.Bytes > Large ? OnThreadOfItsOwn : OnComputeThread);

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

    /// <summary>Loads weights for what is to be activated here within a minute.</summary>
    /// <param name="load">The weights.</param>
    /// <param name="cancellationToken">Ends the wait. Loading goes on, so that whoever asks again does not begin anew.</param>
    /// <exception cref="HeadClusterException">There is no memory for them, or their file cannot be read.</exception>
    public Task PrepareAsync<TWeights>(WeightLoad<TWeights> load, CancellationToken cancellationToken)
        where TWeights : class
    {
        lock (_lock)
        {
            if (!_prepared.TryGetValue(load.Owner, out var preparation))
            {
                _prepared.Add(load.Owner, preparation = new Preparation());
                preparation.Loading = PrepareAsync(load, preparation);
            }

            return preparation.Loading.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Lets go of weights that were prepared and that nobody will come for.</summary>
    public void Discard(string owner) => Discard(owner, only: null);

    private async Task<Loaded> PrepareAsync<TWeights>(WeightLoad<TWeights> load, Preparation preparation)
        where TWeights : class
    {
        try
        {
            // What is served where it is need not hurry.
            var loaded = await LoadAsync(load, OnThreadOfItsOwn);
            lock (_lock)
            {
                if (_prepared.GetValueOrDefault(load.Owner) == preparation)
                {
                    preparation.Expiry = _time.CreateTimer(_ => Discard(load.Owner, preparation), null, PreparedFor, Timeout.InfiniteTimeSpan);
                }
            }

            return loaded;
        }
        catch
        {
            Take(load.Owner, preparation);
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

    // What was prepared, or, if that is not what is meant, nothing.
    private Preparation? Take(string owner, Preparation? only = null)
    {
        lock (_lock)
        {
            if (!_prepared.TryGetValue(owner, out var preparation) || (only ?? preparation) != preparation)
            {
                return null;
            }

            _prepared.Remove(owner);
            preparation.Expiry?.Dispose();
            return preparation;
        }
    }

    private void Discard(string owner, Preparation? only)
    {
        if (Take(owner, only) is { } preparation)
        {
            _ = GiveBackAsync(preparation.Loading);
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

    private sealed class Preparation
    {
        public Task<Loaded> Loading { get; set; } = null!;

        public ITimer? Expiry { get; set; }
    }
}
