using System.Text;
using HeadCluster.Grains;
using HeadCluster.Models;
using HeadCluster.Models.Tests;

namespace HeadCluster.Tests.Loading;

/// <summary>To load weights takes the memory that is reserved for them, and a buffer that does not grow with them.</summary>
public sealed class PackedWeightsTests
{
    private const int Dim = 1024;
    private const long Buffer = 2 << 20;

    public static TheoryData<string> Types => [nameof(TensorType.F32), nameof(TensorType.F16), nameof(TensorType.BF16)];

    [Theory]
    [MemberData(nameof(Types))]
    public void A_gpt_of_inputs_first_loads_within_what_is_reserved_and_a_buffer(string type)
    {
        (string Name, long[] Shape)[] tensors =
        [
            ("wte.weight", [3 * Dim, Dim]), ("wpe.weight", [8, Dim]), ("ln_f.weight", [Dim]),
            ("h.0.ln_1.weight", [Dim]), ("h.0.ln_2.weight", [Dim]),
            ("h.0.attn.c_attn.weight", [Dim, 3 * Dim]), ("h.0.attn.c_proj.weight", [Dim, Dim]),
            ("h.0.mlp.c_fc.weight", [Dim, 4 * Dim]), ("h.0.mlp.c_proj.weight", [4 * Dim, Dim]),
        ];
        using var directory = Checkpoint(
            type,
            $$"""{"model_type": "gpt2", "n_layer": 1, "n_head": 1, "n_embd": {{Dim}}, "vocab_size": {{3 * Dim}}, "n_positions": 8}""",
            tensors);
        using var model = ModelLocation.Open(directory.Path);
        LoadsWithinABuffer(model);
        LoadsWithinABuffer(TransformerBody.SizeOf(model.Configuration), () => new TransformerBody(model));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_layer_of_outputs_first_loads_within_what_is_reserved_and_a_buffer(string type)
    {
        (string Name, long[] Shape)[] tensors = [("in_proj_weight", [3 * Dim, Dim]), ("out_proj.weight", [Dim, Dim])];
        using var directory = Checkpoint(type, $$"""{"embed_dim": {{Dim}}, "num_heads": 1}""", tensors);
        using var model = ModelLocation.Open(directory.Path);
        LoadsWithinABuffer(model);
    }

    [Fact]
    public void A_random_layer_loads_within_what_is_reserved_and_a_buffer()
    {
        using var model = ModelLocation.Open($"random:gpt2-small?model_dim={Dim}&heads=1&head_dim={Dim}");
        LoadsWithinABuffer(model);
    }

    private static void LoadsWithinABuffer(Model model)
    {
        var (shape, format) = (model.Configuration.HeadShape(), model.Configuration.WeightFormat());
        LoadsWithinABuffer(Kernels.PackedMatrix.SizeOf(Dim, shape.ProjectionDim, format), () => model.PackHead(0, 0));
        LoadsWithinABuffer(Kernels.PackedMatrix.SizeOf(Dim, Dim, format), () => model.ReadOutputProjection(0).Pack(format));
    }

    private static void LoadsWithinABuffer(long reserved, Func<object> load)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        GC.KeepAlive(load());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, reserved, reserved + Buffer);
    }

    // All weights are zero: a file that is a header and no bytes on the disk.
    private static TemporaryDirectory Checkpoint(string type, string config, (string Name, long[] Shape)[] tensors)
    {
        var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("config.json"), config);
        var (header, end) = (new StringBuilder(), 0L);
        foreach (var (name, shape) in tensors)
        {
            var begin = end;
            end += shape.Aggregate(1L, (count, size) => count * size) * TensorFile.Size(Enum.Parse<TensorType>(type));
            header.Append(header.Length == 0 ? '{' : ',');
            header.Append($$"""
                "{{name}}":{"dtype":"{{type}}","shape":[{{string.Join(',', shape)}}],"data_offsets":[{{begin}},{{end}}]}
                """);
        }

        var path = directory.Write("model.safetensors", TensorFile.Bytes($"{header}}}"));
        using var file = File.OpenWrite(path);
        file.SetLength(file.Length + end);
        return directory;
    }
}
