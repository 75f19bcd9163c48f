using HeadCluster.Models;

namespace HeadCluster.Tests.Transformer;

/// <summary>The files of a GPT of random weights, 8 wide, with one head in each of two layers, as minGPT stores them.</summary>
internal static class TinyGpt
{
    private const int Width = 8;
    private const int Layers = 2;

    /// <summary>Writes the files.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="vocabulary">Number of tokens.</param>
    /// <param name="positions">The longest sequence.</param>
    /// <param name="scale">By what the elements of the tensor of a name are multiplied.</param>
    public static void Write(TemporaryDirectory directory, int vocabulary, int positions, Func<string, float> scale)
    {
        File.WriteAllText(
            directory.File("config.json"),
            $$"""{ "model_type": "mingpt", "n_layer": {{Layers}}, "n_head": 1, "n_embd": {{Width}}, "vocab_size": {{vocabulary}}, "block_size": {{positions}} }""");
        var seed = 0;
        var tensors = new List<NamedTensor> { Matrix("transformer.wte.weight", vocabulary, Width), Matrix("transformer.wpe.weight", positions, Width) };
        for (var layer = 0; layer < Layers; layer++)
        {
            var block = $"transformer.h.{layer}.";
            tensors.AddRange(
            [
                Norm(block + "ln_1"),
                Matrix(block + "attn.c_attn.weight", 3 * Width, Width),
                Matrix(block + "attn.c_proj.weight", Width, Width),
                Norm(block + "ln_2"),
                Matrix(block + "mlp.c_fc.weight", 4 * Width, Width),
                Matrix(block + "mlp.c_proj.weight", Width, 4 * Width),
            ]);
        }

        tensors.AddRange([Norm("transformer.ln_f"), Matrix("lm_head.weight", vocabulary, Width)]);
        SafetensorsWriter.Write(directory.File("model.safetensors"), tensors);

        NamedTensor Norm(string name) => Matrix(name + ".weight", Width);

        NamedTensor Matrix(string name, params long[] shape)
        {
            var times = scale(name);
            var values = Matrices.Random((int)shape[0], shape.Length == 1 ? 1 : (int)shape[1], seed: ++seed).Memory.ToArray();
            return new(name, shape, Array.ConvertAll(values, value => value * times));
        }
    }
}
