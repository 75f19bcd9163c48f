using BenchmarkDotNet.Attributes;
using HeadCluster.Benchmarks.Kernels;
using HeadCluster.Kernels;

namespace HeadCluster.Benchmarks.Allocations;

/// <summary>One call of each kernel at gpt2-small's shape, with buffers from the caller or the pool.</summary>
[MemoryDiagnoser]
public class KernelAllocations
{
    private const int Rows = 128;
    private static readonly LayerShape Shape = new(768, 12);
    private readonly AttentionLayer _layer = new LayerWeights(Shape).Pack();
    private readonly PackedMatrix _matrix = PackedMatrix.Pack(768, new LinearPart(192, new float[768 * 192]));
    private readonly float[] _x = LayerWeights.Noise(new Random(1), Rows * 768, 1);
    private readonly float[] _y = new float[Rows * 768];
    private readonly float[] _scale = LayerWeights.Noise(new Random(2), 768, 1);
    private readonly KvCache _cache = new(64, 64, Rows);
    private readonly KvCache[] _caches;

    /// <summary>Fills the caches.</summary>
    public KernelAllocations()
    {
        _cache.Append(_x, 64, _x, 64, Rows);
        _caches = _layer.CreateCaches(Rows);
    }

    /// <summary>y = x W + b.</summary>
    [Benchmark]
    public void Linear() => LinearKernel.Apply(_x, Rows, _matrix, _y);

    /// <summary>Attention of 128 queries over 128 keys.</summary>
    [Benchmark]
    public void Attention() =>
        AttentionKernel.Attend(_x, 64, Rows, 0, _cache, new AttentionOptions(0.125f, Causal: true), AttentionMask.None, _y, 64);

    /// <summary>A whole layer on the calling thread.</summary>
    [Benchmark]
    public void Layer() => _layer.Attend(_x, Rows, _y);

    /// <summary>A whole layer that appends to caches.</summary>
    [Benchmark]
    public void LayerWithCaches()
    {
        Array.ForEach(_caches, cache => cache.Clear());
        _layer.Attend(_x, Rows, _y, _caches);
    }

    /// <summary>Softmax of each row.</summary>
    [Benchmark]
    public void Softmax() => SoftmaxKernel.Apply(_x, _y);

    /// <summary>Layer norm of each row.</summary>
    [Benchmark]
    public void LayerNorm() => LayerNormKernel.Apply(_x, Rows, _scale, default, 1e-5f, _y);

    /// <summary>GELU of each element.</summary>
    [Benchmark]
    public void Gelu() => GeluKernel.ApplyTanh(_x, _y);
}
