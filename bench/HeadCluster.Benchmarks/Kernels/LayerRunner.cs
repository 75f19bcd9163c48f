using HeadCluster.Kernels;

namespace HeadCluster.Benchmarks.Kernels;

/// <summary>Our layer on some threads: the plain loop over the heads, no grains.</summary>
internal sealed class LayerRunner : IDisposable
{
    private readonly AttentionLayer _layer;
    private readonly ComputePool? _pool;
    private readonly float[] _x;
    private readonly int _rows;

    /// <param name="layer">The layer.</param>
    /// <param name="x">The input, <c>[rows, ModelDim]</c>.</param>
    /// <param name="threads">Threads; one is the calling thread.</param>
    public LayerRunner(AttentionLayer layer, float[] x, int threads)
    {
        _layer = layer;
        _pool = threads == 1 ? null : new ComputePool(threads);
        _x = x;
        _rows = x.Length / layer.Shape.ModelDim;
        Output = new float[x.Length];
    }

    /// <summary>The result of the last run, <c>[rows, ModelDim]</c>.</summary>
    public float[] Output { get; }

    public void Run()
    {
        if (_pool is null)
        {
            _layer.Attend(_x, _rows, Output);
        }
        else
        {
            _layer.AttendAsync(_x, _rows, Output, _pool).GetAwaiter().GetResult();
        }
    }

    public void Dispose() => _pool?.Dispose();
}
