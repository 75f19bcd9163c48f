using HeadCluster.Benchmarks.Measuring;
using HeadCluster.Benchmarks.Onnx;

namespace HeadCluster.Benchmarks.Kernels;

/// <summary>Whole layers: against ONNX Runtime, against our own without a mask, and in other numbers of heads.</summary>
internal static class LayerBenchmark
{
    /// <summary>The largest difference between the two engines, relative to the largest output, that float32 rounding explains.</summary>
    private const double Agreement = 1e-4;

    private static readonly (int Rows, LayerShape Shape)[] Layers =
    [
        (11, new(48, 3)),
        (128, new(768, 12)),
        (512, new(768, 12)),
        (1024, new(768, 12)),
        (1024, new(768, 12, Causal: true)),
        (1024, new(2048, 32)),
    ];

    /// <summary>Our layer ÷ ONNX Runtime's with the same weights and threads.</summary>
    /// <exception cref="InvalidOperationException">Their results differ by more than rounding explains.</exception>
    public static void AgainstOnnxRuntime(KernelReporter reporter, Effort effort)
    {
        foreach (var (rows, shape) in Layers)
        {
            var weights = new LayerWeights(shape);
            var x = Input(rows, shape);
            foreach (var threads in KernelReporter.Threads)
            {
                using var ours = new LayerRunner(weights.Pack(), x, threads);
                using var peer = new OnnxLayer(weights, x, threads);
                var ceilings = KernelCeilings.Measure(threads);
                var times = Pairs.Measure(ours.Run, peer.Run, effort);
                CheckAgreement(ours.Output, peer.Output, shape);
                reporter.Add("layer", rows, shape, threads, times, "ONNX Runtime", ceilings);
            }
        }
    }

    /// <summary>Causal ÷ unmasked: the masked half is not computed.</summary>
    public static void CausalAgainstUnmasked(KernelReporter reporter, Effort effort)
    {
        var shape = new LayerShape(768, 12, Causal: true);
        var x = Input(1024, shape);
        foreach (var threads in KernelReporter.Threads)
        {
            using var causal = new LayerRunner(new LayerWeights(shape).Pack(), x, threads);
            using var unmasked = new LayerRunner(new LayerWeights(shape with { Causal = false }).Pack(), x, threads);
            var ceilings = KernelCeilings.Measure(threads);
            reporter.Add("causal", 1024, shape, threads, Pairs.Measure(causal.Run, unmasked.Run, effort), "unmasked", ceilings);
        }
    }

    /// <summary>The same work in h heads ÷ in 12: splitting a large attention into heads costs nothing.</summary>
    public static void HeadsAgainstTwelve(KernelReporter reporter, Effort effort)
    {
        var twelve = new LayerShape(768, 12);
        var x = Input(512, twelve);
        using var peer = new LayerRunner(new LayerWeights(twelve).Pack(), x, threads: 1);
        foreach (var heads in (int[])[1, 2, 4, 8, 12, 16])
        {
            var shape = twelve with { Heads = heads };
            using var ours = new LayerRunner(new LayerWeights(shape).Pack(), x, threads: 1);
            var ceilings = KernelCeilings.Measure(threads: 1);
            reporter.Add("heads", 512, shape, 1, Pairs.Measure(ours.Run, peer.Run, effort), "12 heads", ceilings);
        }
    }

    private static float[] Input(int rows, LayerShape shape) => LayerWeights.Noise(new Random(2), rows * shape.ModelDim, 1);

    private static void CheckAgreement(float[] ours, float[] peer, LayerShape shape)
    {
        var largest = peer.Max(MathF.Abs);
        var difference = ours.Zip(peer, (a, b) => MathF.Abs(a - b)).Max() / largest;
        if (!(difference <= Agreement))
        {
            throw new InvalidOperationException($"{shape}: results differ from ONNX Runtime's by {difference:g2}, more than {Agreement:g2}");
        }
    }
}
