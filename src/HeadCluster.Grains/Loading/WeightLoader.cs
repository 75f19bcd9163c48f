using System.Collections.Concurrent;
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

    private readonly ConcurrentDictionary<string, Prepared> _prepared = new(StringComparer.Ordinal);
    private readonly WeightMemory _memory;
    private readonly ComputePool _compute;
    private readonly TimeProvider _time;

    public WeightLoader(WeightMemory memory, ComputePool compute, TimeProvider time)
    {
        _memory = memory;
        _compute = compute;
        _time = time;
    }

    /// <summary>The weights, and their memory until it is disposed: prepared ones, or else they are loaded.</summary>
    /// <exception cref="HeadClusterException">There is no memory for them, or their file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Nobody waits for them any more; their memory is given back.</exception>
    public async Task<(TWeights Weights, IDisposable Reserved)> LoadAsync<TWeights>(WeightLoad<TWeights> load, CancellationToken cancellationToken)
        where TWeights : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_prepared.TryRemove(load.Owner, out var prepared))
        {
            prepared.Expiry.Dispose();
            return ((TWeights)prepared.Weights, prepared.Reserved);
        }

        // Reading waits for a disk, which a turn must not.
        return await LoadAsync(
            load, read => _compute.RunAsync(ComputePool.InlineOperations, _ => read(), cancellationToken: cancellationToken), cancellationToken);
    }

    /// <summary>Loads weights for what is to be activated here within a minute.</summary>
    /// <exception cref="HeadClusterException">There is no memory for them, or their file cannot be read.</exception>
    public async Task PrepareAsync<TWeights>(WeightLoad<TWeights> load, CancellationToken cancellationToken)
        where TWeights : class
    {
        if (_prepared.ContainsKey(load.Owner))
        {
            return;
        }

        // A whole model may take seconds, in which a compute thread would serve no head, and what is served where it is need not hurry.
        var (weights, reserved) = await LoadAsync(
            load, read => Task.Factory.StartNew(read, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default), cancellationToken);
        var expiry = _time.CreateTimer(_ => Discard(load.Owner), null, PreparedFor, Timeout.InfiniteTimeSpan);
        if (!_prepared.TryAdd(load.Owner, new Prepared(weights, reserved, expiry)))
        {
            expiry.Dispose();
            reserved.Dispose();
        }
    }

    /// <summary>Lets go of weights that were prepared and that nobody will come for.</summary>
    public void Discard(string owner)
    {
        if (_prepared.TryRemove(owner, out var prepared))
        {
            prepared.Expiry.Dispose();
            prepared.Reserved.Dispose();
        }
    }

    private async Task<(TWeights Weights, IDisposable Reserved)> LoadAsync<TWeights>(
        WeightLoad<TWeights> load, Func<Action, Task> run, CancellationToken cancellationToken)
        where TWeights : class
    {
        var reserved = _memory.Reserve(load.Bytes, load.Model, load.Owner);
        try
        {
            var weights = default(TWeights);
            await run(() => weights = load.Load());

            // Orleans deactivates no activation that it has given up, so that nobody else would give the memory back.
            cancellationToken.ThrowIfCancellationRequested();
            return (weights!, reserved);
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

    private sealed record Prepared(object Weights, IDisposable Reserved, ITimer Expiry);
}
