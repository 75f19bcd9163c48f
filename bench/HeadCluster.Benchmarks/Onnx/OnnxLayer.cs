using HeadCluster.Benchmarks.Kernels;
using Microsoft.ML.OnnxRuntime;

namespace HeadCluster.Benchmarks.Onnx;

/// <summary>
/// The same layer in ONNX Runtime: three projections, <c>com.microsoft.MultiHeadAttention</c>, and the output projection.
/// </summary>
internal sealed class OnnxLayer : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly OrtValue[] _inputs;
    private readonly OrtValue[] _outputs;

    /// <param name="weights">The weights, which the session packs in its own way.</param>
    /// <param name="x">The input, <c>[rows, ModelDim]</c>.</param>
    /// <param name="threads">Threads, the calling one included.</param>
    public OnnxLayer(LayerWeights weights, float[] x, int threads)
    {
        var (shape, rows) = (weights.Shape, x.Length / weights.Shape.ModelDim);
        var model = new OnnxModel();
        foreach (var (name, values) in weights.Matrices)
        {
            model.AddWeights(name, values, shape.ModelDim, shape.ModelDim);
        }

        model.AddNode("MatMul", "", ["x", nameof(weights.Query)], "q");
        model.AddNode("MatMul", "", ["x", nameof(weights.Key)], "k");
        model.AddNode("MatMul", "", ["x", nameof(weights.Value)], "v");
        model.AddNode(
            "MultiHeadAttention", "com.microsoft", ["q", "k", "v"], "z", ("num_heads", shape.Heads), ("unidirectional", shape.Causal ? 1 : 0));
        model.AddNode("MatMul", "", ["z", nameof(weights.Output)], "y");

        using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1 };

        // Its threads spin while it runs, but not beyond, when the other side of the pair is measured.
        options.AddSessionConfigEntry("session.force_spinning_stop", "1");
        _session = new InferenceSession(model.Write("x", "y", 1, rows, shape.ModelDim), options);
        Output = new float[x.Length];
        _inputs = [OrtValue.CreateTensorValueFromMemory(x, [1, rows, shape.ModelDim])];
        _outputs = [OrtValue.CreateTensorValueFromMemory(Output, [1, rows, shape.ModelDim])];
    }

    /// <summary>The result of the last run, <c>[rows, ModelDim]</c>.</summary>
    public float[] Output { get; }

    public void Run() => _session.Run(_run, ["x"], _inputs, ["y"], _outputs);

    public void Dispose()
    {
        Array.ForEach(_inputs, value => value.Dispose());
        Array.ForEach(_outputs, value => value.Dispose());
        _run.Dispose();
        _session.Dispose();
    }
}
