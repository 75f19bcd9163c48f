using HeadCluster.Benchmarks.Machine;
using HeadCluster.Benchmarks.Measuring;
using HeadCluster.Kernels;

namespace HeadCluster.Benchmarks.Kernels;

/// <summary>
/// Decode steps: one row. Each weight and each key is used once, so memory sets the pace, and reading as many bytes from end to
/// end is the peer.
/// </summary>
internal static class DecodeBenchmark
{
    private const int Past = 1024;
    private const int Layers = 24;
    private static readonly LayerShape Shape = new(768, 12);

    private static int HeadDim => Shape.ModelDim / Shape.Heads;

    /// <summary>The products of one row with the projections of many layers, more than the caches hold.</summary>
    public static void Products(KernelReporter reporter, Effort effort, WeightFormat format)
    {
        var random = new Random(3);
        var (dim, projections) = (Shape.ModelDim, 3 * HeadDim);
        var matrices = Enumerable.Range(0, Layers)
            .SelectMany(_ => Enumerable.Repeat(projections, Shape.Heads).Append(dim))
            .Select(outputs => PackedMatrix.Pack(dim, new LinearPart(outputs, Exact(random, dim * outputs), default, format)))
            .ToArray();
        var x = LayerWeights.Noise(random, dim, 1);
        var y = matrices.Select(matrix => new float[matrix.Outputs]).ToArray();
        Measure(
            $"products {format}",
            matrices.Length,
            matrices.Sum(matrix => matrix.Bytes),
            matrices.Sum(matrix => 2L * matrix.Inputs * matrix.Outputs),
            i => LinearKernel.Apply(x, 1, matrices[i], y[i]),
            reporter,
            effort);
    }

    /// <summary>The attention of one query over a past, in the heads of many layers.</summary>
    public static void Attention(KernelReporter reporter, Effort effort)
    {
        var random = new Random(4);
        var caches = Enumerable.Range(0, Layers * Shape.Heads).Select(_ =>
        {
            var cache = new KvCache(HeadDim, HeadDim, Past);
            var rows = LayerWeights.Noise(random, 2 * Past * HeadDim, 1);
            cache.Append(rows, 2 * HeadDim, rows.AsSpan(HeadDim), 2 * HeadDim, Past);
            return cache;
        }).ToArray();
        var query = LayerWeights.Noise(random, HeadDim, 1);
        var output = caches.Select(_ => new float[HeadDim]).ToArray();
        var options = new AttentionOptions(AttentionOptions.DefaultScale(HeadDim), Causal: true);
        Measure(
            $"attention over {Past}",
            caches.Length,
            2L * sizeof(float) * Past * HeadDim * caches.Length,
            4L * Past * HeadDim * caches.Length,
            i => AttentionKernel.Attend(query, HeadDim, 1, Past - 1, caches[i], options, AttentionMask.None, output[i], HeadDim),
            reporter,
            effort);
        Array.ForEach(caches, cache => cache.Dispose());
    }

    private static void Measure(
        string what, int parts, long bytes, long operations, Action<int> part, KernelReporter reporter, Effort effort)
    {
        foreach (var threads in KernelReporter.Threads)
        {
            using var pool = threads == 1 ? null : new ComputePool(threads);
            void Run(Action<int> one)
            {
                if (pool is null)
                {
                    for (var i = 0; i < parts; i++)
                    {
                        one(i);
                    }
                }
                else
                {
                    pool.RunPartsAsync(parts, operations, (i, _) => one(i)).GetAwaiter().GetResult();
                }
            }

            var ceilings = KernelCeilings.Measure(threads);
            var times = Pairs.Measure(() => Run(part), () => Run(i => Ceilings.Read(i, parts, bytes)), effort);
            reporter.AddDecode(what, Shape, threads, times, bytes, operations, ceilings);
        }
    }

    // Every format holds these values exactly.
    private static float[] Exact(Random random, int length)
    {
        var values = new float[length];
        for (var i = 0; i < length; i++)
        {
            values[i] = random.Next(-127, 128) / 4096f;
        }

        return values;
    }
}
