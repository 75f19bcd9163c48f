using HeadCluster.Tests;
namespace HeadCluster.Models.Tests;

public class GptLayoutTests
{
    private static readonly Gpt Small = new(Layers: 2, Heads: 2, HeadDim: 3, Bias: true);

    public static TheoryData<string, bool> Layouts => new() { { "mingpt", true }, { "mingpt", false }, { "gpt2", true }, { "gpt2", false } };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Everything_around_the_heads_is_what_was_written(string layout, bool bias)
    {
        var gpt = Small with { Bias = bias };
        using var directory = new TemporaryDirectory();
        (layout == "gpt2" ? gpt.HuggingFace() : gpt.MinGpt()).Write(directory);
        using var model = ModelLocation.Open(directory.Path);
        Assert.Equal(
            new TransformerConfiguration
            {
                VocabularySize = Gpt.Vocabulary,
                FeedForwardDim = Gpt.FeedForwardDim,
                NormEpsilon = 1e-5f,
                Activation = Activation.GeluTanh,
            },
            model.Configuration.Transformer);
        for (var layer = 0; layer < 2; layer++)
        {
            var block = model.ReadBlock(layer);
            AssertNorm(gpt.Norm((10 * layer) + 7), block.AttentionNorm);
            AssertNorm(gpt.Norm((10 * layer) + 8), block.FeedForwardNorm);
            gpt.Up(layer).AssertWhole(block.Up);
            gpt.Down(layer).AssertWhole(block.Down);
        }

        var transformer = model.ReadTransformer();
        Assert.Equal(gpt.TokenEmbedding, transformer.TokenEmbedding);
        Assert.Equal(gpt.PositionEmbedding, transformer.PositionEmbedding);
        AssertNorm(gpt.Norm(904), transformer.FinalNorm);
        gpt.Logits.AssertWhole(transformer.Logits);
    }

    [Fact]
    public void Missing_output_layer_is_the_token_embedding()
    {
        var files = Small.HuggingFace(prefix: "");
        files.Tensors.Remove(files["lm_head.weight"]);
        using var directory = new TemporaryDirectory();
        files.Write(directory);
        using var model = ModelLocation.Open(directory.Path);
        var logits = model.ReadTransformer().Logits;
        Assert.Equal((Small.Dim, Gpt.Vocabulary), (logits.Inputs, logits.Outputs));
        var weights = logits.Read();
        for (var token = 0; token < Gpt.Vocabulary; token++)
        {
            for (var i = 0; i < Small.Dim; i++)
            {
                Assert.Equal(Small.TokenEmbedding[(token * Small.Dim) + i], weights[(i * Gpt.Vocabulary) + token]);
            }
        }
    }

    [Fact]
    public void Stored_causal_masks_are_ignored()
    {
        var files = Small.HuggingFace();
        files.Add("transformer.h.0.attn.bias", new float[25], 1, 1, 5, 5);
        files.Add("transformer.h.1.attn.bias", new float[25], 1, 1, 5, 5);
        files.Add("transformer.h.1.attn.masked_bias", new float[1]);
        using var directory = new TemporaryDirectory();
        files.Write(directory);
        using var model = ModelLocation.Open(directory.Path);
        Small.Attention(1).AssertHead(model.ReadHead(1, 1), 1);
    }

    [Theory]
    [InlineData("gpt2", null, Activation.GeluTanh)]
    [InlineData("mingpt", null, Activation.GeluTanh)]
    [InlineData("nanogpt", null, Activation.GeluErf)]
    [InlineData(null, "gelu_new", Activation.GeluTanh)]
    [InlineData(null, "gelu_tanh", Activation.GeluTanh)]
    [InlineData("gpt2", "gelu_pytorch_tanh", Activation.GeluTanh)]
    [InlineData("gpt2", "gelu", Activation.GeluErf)]
    [InlineData("mingpt", "gelu_erf", Activation.GeluErf)]
    public void Activation_is_the_stated_one_or_that_of_the_model_type(string? type, string? stated, Activation expected)
    {
        var configuration = Configuration(files =>
        {
            files.Config["model_type"] = type;
            files.Config["activation_function"] = stated;
        });
        Assert.Equal(expected, configuration.Transformer!.Activation);
    }

    [Fact]
    public void Unscaled_attention_has_the_scale_one() =>
        Assert.Equal(1, Configuration(files => files.Config["scale_attn_weights"] = false).Scale);

    [Fact]
    public void Epsilon_is_the_stated_one() =>
        Assert.Equal(1e-6f, Configuration(files => files.Config["layer_norm_epsilon"] = 1e-6).Transformer!.NormEpsilon);

    private static ModelConfiguration Configuration(Action<ModelFiles> change)
    {
        var files = Small.MinGpt();
        change(files);
        using var directory = new TemporaryDirectory();
        files.Write(directory);
        using var model = ModelLocation.Open(directory.Path);
        return model.Configuration;
    }

    private static void AssertNorm(NormWeights expected, NormWeights actual)
    {
        Assert.Equal(expected.Scale, actual.Scale);
        Assert.Equal(expected.Bias, actual.Bias);
    }
}
