using System.Buffers;
using System.Collections.Concurrent;

namespace HeadCluster.Kernels;

/// <summary>
/// Multi-head attention of one layer with all heads in one place, Concat(head_1 … head_h) W_O + b_O: the plain loop over the
/// heads that grains spread over silos. Immutable and thread-safe, but for the caches that a caller passes.
/// </summary>
public sealed class AttentionLayer
{
    private readonly AttentionHead[] _heads;
    private readonly PackedMatrix _outputWeights;
    private readonly ConcurrentQueue<KvCache> _spareCaches = new();

    /// <summary>A layer of some heads.</summary>
    /// <param name="heads">One or more, of the same shape.</param>
    /// <param name="outputWeights">W_O and b_O, from the heads' outputs side by side to ModelDim.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    public AttentionLayer(IEnumerable<AttentionHead> heads, PackedMatrix outputWeights)
    {
        ArgumentNullException.ThrowIfNull(outputWeights);
        _heads = [.. heads];
        _outputWeights = outputWeights;
        if (_heads.Length == 0 || _heads.Any(head => head.Shape != _heads[0].Shape))
        {
            throw new ArgumentException("a layer has one head or more, all of one shape", nameof(heads));
        }

        if (outputWeights.Inputs != _heads.Length * Shape.OutputDim || outputWeights.Outputs != Shape.ModelDim)
        {
            throw new ArgumentException(
                $"W_O is [{outputWeights.Inputs}, {outputWeights.Outputs}] for {_heads.Length} heads of {Shape}", nameof(outputWeights));
        }
    }

    /// <summary>The sizes of each head.</summary>
    public HeadShape Shape => _heads[0].Shape;

    /// <summary>Memory that the packed weights take, in bytes.</summary>
    public long WeightBytes => _outputWeights.Bytes + _heads.Sum(head => head.WeightBytes);

    /// <summary>An empty cache for each head.</summary>
    /// <param name="capacity">Positions that each can hold.</param>
    public KvCache[] CreateCaches(int capacity) => Array.ConvertAll(_heads, head => head.CreateCache(capacity));

    /// <summary>Computes the attention of one sequence on the calling thread.</summary>
    /// <param name="x"><c>[rows, ModelDim]</c>, row-major.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="y"><c>[rows, ModelDim]</c>.</param>
    /// <param name="caches">
    /// One a head: the positions before, to which these are added; null for a whole sequence. After an exception they hold what they held before.
    /// </param>
    /// <param name="cancellationToken">Checked between blocks of rows and columns.</param>
    /// <exception cref="ArgumentException">A span is too short, or there is not one cache a head, all of its shape and of one length.</exception>
    /// <exception cref="InvalidOperationException">The rows do not fit a cache.</exception>
    public void Attend(ReadOnlySpan<float> x, int rows, Span<float> y, KvCache[]? caches = null, CancellationToken cancellationToken = default)
    {
        CheckArguments(x.Length, rows, y.Length, caches);
        var position = caches?[0].Length ?? 0;
        var z = ArrayPool<float>.Shared.Rent(checked(rows * _outputWeights.Inputs));
        try
        {
            for (var head = 0; head < _heads.Length; head++)
            {
                AttendHead(head, x, rows, caches?[head], z, cancellationToken);
            }

            LinearKernel.Apply(z, rows, _outputWeights, y, cancellationToken);
        }
        catch
        {
            Truncate(caches, position);
            throw;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(z);
        }
    }

    /// <summary>Computes the attention of one sequence on the threads of a pool; the bits are those of one thread.</summary>
    /// <param name="x"><c>[rows, ModelDim]</c>, row-major.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="y"><c>[rows, ModelDim]</c>.</param>
    /// <param name="pool">The threads.</param>
    /// <param name="caches">
    /// One a head: the positions before, to which these are added; null for a whole sequence. After an exception they hold what they held before.
    /// </param>
    /// <param name="cancellationToken">Checked between blocks of rows and columns.</param>
    /// <exception cref="ArgumentException">A span is too short, or there is not one cache a head, all of its shape and of one length.</exception>
    /// <exception cref="InvalidOperationException">The rows do not fit a cache.</exception>
    public async Task AttendAsync(
        ReadOnlyMemory<float> x,
        int rows,
        Memory<float> y,
        ComputePool pool,
        KvCache[]? caches = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        CheckArguments(x.Length, rows, y.Length, caches);
        var position = caches?[0].Length ?? 0;
        var z = ArrayPool<float>.Shared.Rent(checked(rows * _outputWeights.Inputs));
        try
        {
            var keys = position + rows;
            var output = new ProductParts(rows, _outputWeights, pool.ThreadCount);
            await pool.RunPartsAsync(
                _heads.Length + output.Count,
                (_heads.Length * (Shape.ProjectOperations(rows) + Shape.AttendOperations(rows, keys))) + output.Operations,
                (part, token) =>
                {
                    if (part < _heads.Length)
                    {
                        AttendHead(part, x.Span, rows, caches?[part], z, token);
                    }
                    else
                    {
                        output.Compute(part - _heads.Length, z, y.Span, token);
                    }
                },
                leading: _heads.Length,
                cancellationToken: cancellationToken);
        }
        catch
        {
            Truncate(caches, position);
            throw;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(z);
        }
    }

    private void CheckArguments(int x, int rows, int y, KvCache[]? caches)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Check.AtLeast(x, (long)rows * Shape.ModelDim, nameof(x));
        Check.AtLeast(y, (long)rows * Shape.ModelDim, nameof(y));
        if (caches is not null && caches.Length != _heads.Length)
        {
            throw new ArgumentException($"{caches.Length} caches for {_heads.Length} heads", nameof(caches));
        }

        for (var head = 0; head < caches?.Length; head++)
        {
            ArgumentNullException.ThrowIfNull(caches[head], nameof(caches));
            _heads[head].CheckCache(caches[head]);
            if (caches[head].Length != caches[0].Length)
            {
                throw new ArgumentException(
                    $"the cache of head {head} holds {caches[head].Length} positions, that of head 0 {caches[0].Length}", nameof(caches));
            }

            caches[head].CheckRoom(rows);
        }
    }

    // Heads that went on before something failed are brought back to where all began.
    private static void Truncate(KvCache[]? caches, int length)
    {
        foreach (var cache in caches ?? [])
        {
            cache.Truncate(length);
        }
    }

    // z[rows, heads · OutputDim]: each head writes its own columns.
    private void AttendHead(int head, ReadOnlySpan<float> x, int rows, KvCache? cache, Span<float> z, CancellationToken cancellationToken)
    {
        if (rows == 0)
        {
            return;
        }

        var column = head * Shape.OutputDim;
        using var projected = _heads[head].Project(x, rows, cancellationToken);
        if (cache is not null)
        {
            _heads[head].Attend(projected, 0, rows, cache, z[column..], _outputWeights.Inputs, cancellationToken);
            return;
        }

        var spare = _spareCaches.TryDequeue(out var used) ? used : _heads[head].CreateCache(rows);
        spare.Reset(rows);
        _heads[head].Attend(projected, 0, rows, spare, z[column..], _outputWeights.Inputs, cancellationToken);
        _spareCaches.Enqueue(spare);
    }
}
