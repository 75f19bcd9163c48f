using System.Text;
using CsCheck;
using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

/// <summary>A model that cannot be used is refused in one line that says what, where, and what was expected.</summary>
public sealed class ModelErrorTests : IDisposable
{
    private static readonly Gpt Small = new(Layers: 2, Heads: 2, HeadDim: 3, Bias: true);

    private static readonly AttentionProjections Layer =
        AttentionProjections.Create(layer: 0, modelDim: 6, heads: 4, kvHeads: 2, headDim: 3, valueDim: 5, bias: true);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Missing_directory_is_named_with_what_else_there_is() =>
        AssertRefused(_directory.File("nowhere"), "nowhere", "no such directory", "random:gpt2-small");

    [Fact]
    public void Directory_without_configuration_is_refused()
    {
        _directory.Write("model.safetensors", TensorFile.Bytes("{}"));
        AssertRefused(_directory.Path, "config.json", "*.safetensors");
    }

    [Fact]
    public void Directory_without_tensors_is_refused()
    {
        Small.MinGpt().WriteConfig(_directory);
        AssertRefused(_directory.Path, "has no *.safetensors");
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("{\"n_layer\":", "not valid JSON")]
    [InlineData("[]", "Array", "JSON object")]
    [InlineData("{\"n_layer\":1,\"n_layer\":2}", "not valid JSON", "n_layer")]
    [InlineData("{\"model_type\":\"\\ud800\"}", "model_type")]
    public void Configuration_that_is_no_object_is_refused(string text, params string[] essentials)
    {
        Small.MinGpt().Write(_directory);
        File.WriteAllText(_directory.File("config.json"), text);
        AssertRefused(_directory.Path, ["config.json", .. essentials]);
    }

    [Theory]
    [InlineData("h.1.attn.c_attn.weight", float.NaN, "NaN")]
    [InlineData("h.1.attn.c_attn.bias", float.PositiveInfinity, "Infinity")]
    [InlineData("h.1.attn.c_proj.weight", float.NegativeInfinity, "-Infinity")]
    [InlineData("h.1.mlp.c_fc.weight", float.NaN, "NaN")]
    [InlineData("h.1.ln_2.bias", float.NaN, "NaN")]
    [InlineData("wpe.weight", float.NaN, "NaN")]
    public void Weight_that_is_not_finite_is_refused_when_it_is_read(string ending, float value, string text)
    {
        foreach (var type in TensorFile.Types)
        {
            var files = Small.MinGpt();
            var name = files.Tensors.Single(tensor => tensor.Name.EndsWith(ending, StringComparison.Ordinal)).Name;
            var values = files[name].Values.ToArray();
            values[^1] = value;
            files[name] = files[name] with { Values = values };
            files.Write(_directory, type);

            using var model = ModelLocation.Open(_directory.Path);
            Read(model, layer: 0);
            var error = Assert.Throws<ModelException>(() =>
            {
                Read(model, layer: 1);
                model.ReadTransformer();
            });
            Assert.Equal($"{_directory.File("model.safetensors")}: tensor '{name}' holds {text}; expected finite weights", error.Message);
        }

        static void Read(Model model, int layer)
        {
            var (head, block) = (model.ReadHead(layer, 1), model.ReadBlock(layer));
            foreach (var matrix in (LinearWeights[])[head.Query, head.Key, head.Value, model.ReadOutputProjection(layer), block.Up, block.Down])
            {
                matrix.Read((_, _) => { });
            }
        }
    }

    [Fact]
    public void Head_of_more_weights_than_an_array_holds_is_refused()
    {
        // A sparse file. Each of its tensors fits an array.
        const long Dim = 1 << 16, HeadDim = 1 << 14, Projection = Dim * HeadDim * sizeof(ushort), Value = Dim * sizeof(ushort);
        File.WriteAllText(_directory.File("config.json"), $$"""{"hidden_size": {{Dim}}, "num_attention_heads": 1, "head_dim": {{HeadDim}}}""");
        var path = _directory.Write("model.safetensors", TensorFile.Bytes(
            $"{{{Header("q", HeadDim, Dim, 0, Projection)},{Header("k", HeadDim, Dim, Projection, 2 * Projection)},"
            + $"{Header("v", 1, Dim, 2 * Projection, (2 * Projection) + Value)},"
            + $"{Header("o", Dim, 1, (2 * Projection) + Value, 2 * (Projection + Value))}}}"));
        using (var file = File.OpenWrite(path))
        {
            file.SetLength(file.Length + (2 * (Projection + Value)));
        }

        AssertRefused(_directory.Path, "the projections of a head", "65536 × 32769 = 2147549184 weights", "at most 2147483527");

        static string Header(string name, long rows, long columns, long begin, long end) =>
            $"\"{name}_proj.weight\":{{\"dtype\":\"F16\",\"shape\":[{rows},{columns}],\"data_offsets\":[{begin},{end}]}}";
    }

    [Fact]
    public void Configuration_of_more_than_a_mebibyte_is_refused()
    {
        var files = Small.MinGpt();
        files.Write(_directory);
        var config = files.Config.ToJsonString();
        File.WriteAllText(_directory.File("config.json"), config.PadRight(1 << 20));
        ModelLocation.Open(_directory.Path).Dispose();

        File.WriteAllText(_directory.File("config.json"), config.PadRight((1 << 20) + 1));
        AssertRefused(_directory.Path, "config.json", "is too large", "1048576 bytes");
    }

    [Fact]
    public void Configuration_that_is_no_text_is_refused()
    {
        _directory.Write("config.json", [(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
        AssertRefused(_directory.Path, "config.json", "UTF-8");
    }

    [Theory]
    [InlineData("n_layer")]
    [InlineData("n_head")]
    [InlineData("n_embd")]
    [InlineData("vocab_size")]
    [InlineData("block_size")]
    public void Missing_size_of_a_gpt_is_named(string key) =>
        AssertRefused(Small.MinGpt(), files => files.Config.Remove(key), "config.json", $"'{key}'", "missing", "whole number");

    [Theory]
    [InlineData("n_layer", "0")]
    [InlineData("n_layer", "-2")]
    [InlineData("n_head", "2.5")]
    [InlineData("n_head", "\"2\"")]
    [InlineData("n_embd", "99999999999999999999")]
    [InlineData("n_embd", "1073741824")]
    [InlineData("vocab_size", "[]")]
    [InlineData("layer_norm_epsilon", "0")]
    [InlineData("layer_norm_epsilon", "1e99")]
    [InlineData("layer_norm_epsilon", "\"small\"")]
    [InlineData("tie_word_embeddings", "1")]
    [InlineData("activation_function", "\"relu\"")]
    [InlineData("activation_function", "3")]
    [InlineData("scale_attn_by_inverse_layer_idx", "true")]
    [InlineData("add_cross_attention", "true")]
    [InlineData("causal", "false")]
    [InlineData("attn_logit_softcapping", "-1")]
    public void Value_out_of_range_is_named(string key, string value)
    {
        var files = Small.MinGpt();
        files.Tensors.Remove(files["lm_head.weight"]);
        AssertRefused(files, edited => edited.Config[key] = System.Text.Json.Nodes.JsonNode.Parse(value), "config.json", $"'{key}'", value, "expected");
    }

    [Fact]
    public void Activation_that_nothing_tells_is_asked_for() =>
        AssertRefused(Small.MinGpt(), files => files.Config.Remove("model_type"), "'activation_function' is missing", "gelu_new");

    [Fact]
    public void Heads_that_do_not_divide_the_width_are_refused()
    {
        AssertRefused(Small.MinGpt(), files => files.Config["n_head"] = 4, "'n_head' is 4", "'n_embd', 6");
        AssertRefused(AttentionLayers.Multihead([Small.Attention(0)], 2, _ => ""), files => files.Config["num_heads"] = 5, "'num_heads' is 5", "'embed_dim', 6");
        AssertRefused(Separate(), files => files.Config.Remove("head_dim"), "'num_attention_heads' is 4", "'hidden_size', 6");
    }

    [Fact]
    public void Key_value_heads_that_do_not_divide_the_heads_are_refused() =>
        AssertRefused(Separate(), files => files.Config["num_key_value_heads"] = 3, "'num_key_value_heads' is 3", "'num_attention_heads', 4");

    [Fact]
    public void Value_rows_that_are_not_for_every_key_value_head_are_refused() =>
        AssertRefused(Separate(), files => files["v_proj.weight"] = new("v_proj.weight", [9, 6], new float[54]), "'v_proj.weight'", "[9, 6]", "2 key/value heads");

    [Fact]
    public void Any_missing_tensor_but_a_bias_is_named()
    {
        // Without any c_attn the layout is unknown, but one of two is enough to know it.
        foreach (var name in Small.MinGpt().Tensors.Select(tensor => tensor.Name).Where(name => !name.EndsWith("bias", StringComparison.Ordinal)))
        {
            // The missing lm_head of a tied model is the token embedding.
            AssertRefused(
                Small.MinGpt(),
                files =>
                {
                    files.Config["tie_word_embeddings"] = false;
                    files.Tensors.Remove(files[name]);
                },
                $"'{name}'",
                "missing");
        }

        foreach (var name in (string[])["k_proj.weight", "v_proj.weight", "o_proj.weight"])
        {
            AssertRefused(Separate(), files => files.Tensors.Remove(files[name]), $"'{name}'", "missing");
        }
    }

    [Fact]
    public void Any_tensor_of_another_shape_is_named_with_both_shapes()
    {
        foreach (var name in Small.HuggingFace().Tensors.Select(tensor => tensor.Name))
        {
            AssertRefused(
                Small.HuggingFace(),
                files =>
                {
                    var shape = files[name].Shape.ToArray();
                    shape[^1]++;
                    files[name] = new(name, shape, new float[shape.Aggregate((product, dimension) => product * dimension)]);
                },
                $"'{name}'",
                "has shape [",
                "expected [");
        }
    }

    [Fact]
    public void Extra_tensor_is_named()
    {
        AssertRefused(Small.MinGpt(), files => files.Add("transformer.h.0.attn.sink", new float[3], 3), "'transformer.h.0.attn.sink'", "not expected");
        AssertRefused(Small.MinGpt(), files => files.Config["n_layer"] = 1, "'transformer.h.1.", "not expected", "more");
        AssertRefused(Separate(), files => files.Add("q_norm.weight", new float[3], 3), "'q_norm.weight'", "not expected");
        AssertRefused(AttentionLayers.Multihead([Small.Attention(0)], 2, _ => ""), files => files.Add("bias_k", new float[6], 1, 1, 6), "'bias_k'", "not expected");
    }

    [Fact]
    public void Tensors_of_no_known_layout_are_refused() =>
        AssertRefused(Small.MinGpt(), files => files.Tensors.RemoveAll(tensor => tensor.Name.Contains("c_attn", StringComparison.Ordinal)), "c_attn.weight", "in_proj_weight", "q_proj.weight");

    [Fact]
    public void Weights_that_are_no_floats_are_refused()
    {
        var files = AttentionLayers.Multihead([Small.Attention(0)], 2, _ => "");
        files.WriteConfig(_directory);
        files.Tensors.Remove(files["out_proj.weight"]);
        _directory.Write("a.safetensors", TensorFile.Bytes(TensorType.F32, files.Tensors));
        var header = "{\"out_proj.weight\":{\"dtype\":\"I8\",\"shape\":[6,6],\"data_offsets\":[0,36]}}";
        _directory.Write("b.safetensors", TensorFile.Bytes(header, new byte[36]));
        AssertRefused(_directory.Path, "b.safetensors", "'out_proj.weight' is I8", "F32, F16 or BF16");
    }

    [Fact]
    public void Tensor_in_two_files_is_refused()
    {
        var files = Small.MinGpt();
        files.Write(_directory);
        _directory.Write("other.safetensors", TensorFile.Bytes(TensorType.F32, files["lm_head.weight"]));
        AssertRefused(_directory.Path, "other.safetensors", "model.safetensors", "'lm_head.weight'", "once");
    }

    [Fact]
    public void Truncated_file_is_refused()
    {
        Small.MinGpt().Write(_directory);
        var bytes = File.ReadAllBytes(_directory.File("model.safetensors"));
        _directory.Write("model.safetensors", bytes.AsSpan(0, bytes.Length - 1));
        AssertRefused(_directory.Path, "model.safetensors", "truncated");
    }

    [Theory]
    [InlineData("model_type", "\"llama\"", "'llama'", "rotary")]
    [InlineData("model_type", "\"mistral\"", "'mistral'", "rotary")]
    [InlineData("model_type", "\"qwen2\"", "'qwen2'", "rotary")]
    [InlineData("model_type", "\"opt\"", "'opt'", "not supported")]
    [InlineData("rope_theta", "10000.0", "'rope_theta'", "rotary positions")]
    [InlineData("sliding_window", "4096", "'sliding_window'", "not supported")]
    public void Model_that_would_be_computed_wrong_is_refused(string key, string value, params string[] essentials)
    {
        var files = Separate();
        AssertRefused(files, edited => edited.Config[key] = System.Text.Json.Nodes.JsonNode.Parse(value), ["config.json", .. essentials]);
    }

    [Fact]
    public void Layers_must_count_from_zero_and_be_as_many_as_stated()
    {
        string[] prefixes = ["layers.0.", "layers.2."];
        AssertRefused(AttentionLayers.Separate([Layer, Layer], 4, 3, layer => prefixes[layer]), _ => { }, "'layers.1.q_proj.weight' is missing", "2 layers");
        AssertRefused(AttentionLayers.Separate([Layer], 4, 3, _ => "layers.1."), _ => { }, "'layers.0.q_proj.weight' is missing");
        AssertRefused(Separate(), files => files.Config["num_hidden_layers"] = 3, "states 3 layers", "of 1");
    }

    [Fact]
    public void Any_change_of_one_byte_of_the_configuration_opens_or_is_refused()
    {
        Small.HuggingFace().Write(_directory);
        var valid = File.ReadAllBytes(_directory.File("config.json"));
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte).Sample(
            (at, value) =>
            {
                var bytes = (byte[])valid.Clone();
                bytes[at] = value;
                _directory.Write("config.json", bytes);
                try
                {
                    ModelLocation.Open(_directory.Path).Dispose();
                }
                catch (ModelException error)
                {
                    Assert.DoesNotContain('\n', error.Message);
                }
            },
            iter: 500,
            threads: 1,
            print: change => Encoding.Latin1.GetString(valid[..change.Item1]));
    }

    private static ModelFiles Separate() => AttentionLayers.Separate([Layer], 4, 3, _ => "");

    private void AssertRefused(ModelFiles files, Action<ModelFiles> change, params string[] essentials)
    {
        change(files);
        files.Write(_directory);
        AssertRefused(_directory.Path, essentials);
    }

    private static void AssertRefused(string location, params string[] essentials)
    {
        var error = Assert.ThrowsAny<ModelException>(() => ModelLocation.Open(location));
        Assert.DoesNotContain('\n', error.Message);
        foreach (var essential in essentials)
        {
            Assert.Contains(essential, error.Message, StringComparison.Ordinal);
        }
    }
}
