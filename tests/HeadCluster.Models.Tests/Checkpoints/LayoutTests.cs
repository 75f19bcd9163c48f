using CsCheck;
using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

/// <summary>Each layout gives the heads of the projections it was written from, and each head's read touches that head alone.</summary>
public class LayoutTests
{
    private static readonly Gen<TensorType> Types = Gen.Int[0, 2].Select(choice => TensorFile.Types[choice]);

    private static readonly Func<int, string>[] Prefixes =
    [
        layer => $"layers.{layer}.",
        layer => $"model.layers.{layer}.self_attn.",
        layer => $"encoder.layers.{layer}.self_attn.",
        layer => $"{layer}.",
    ];

    [Fact]
    public void Layouts_with_a_head_of_their_own_for_every_query_agree()
    {
        var shapes = Gen.Select(Gen.Int[1, 12], Gen.Int[1, 4], Gen.Int[1, 20], Gen.Bool);
        Gen.Select(shapes, Types, Gen.Int[0, Prefixes.Length - 1]).Sample(
            (shape, type, prefix) =>
            {
                var (layers, heads, headDim, bias) = shape;
                var gpt = new Gpt(layers, heads, headDim, bias);
                var attention = Enumerable.Range(0, layers).Select(gpt.Attention).ToList();
                AssertModel(gpt.MinGpt(), type, attention);
                AssertModel(gpt.HuggingFace(), type, attention);
                AssertModel(gpt.HuggingFace(prefix: ""), type, attention);
                AssertModel(AttentionLayers.Multihead(attention, heads, Prefixes[prefix]), type, attention);
                AssertModel(AttentionLayers.Separate(attention, heads, headDim, Prefixes[prefix]), type, attention);
            },
            iter: 12,
            threads: 1);
    }

    [Fact]
    public void Grouped_query_heads_stay_with_their_key_value_head_whatever_the_widths()
    {
        var sizes = Gen.Int[1, 20];
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3], sizes, sizes, sizes, Gen.Bool, Types).Sample(
            (kvHeads, group, modelDim, headDim, valueDim, bias, type) =>
            {
                var heads = kvHeads * group;
                var attention = Enumerable.Range(0, 2)
                    .Select(layer => AttentionProjections.Create(layer, modelDim, heads, kvHeads, headDim, valueDim, bias))
                    .ToList();
                AssertModel(AttentionLayers.Separate(attention, heads, headDim, Prefixes[0]), type, attention, configuration => Assert.Equal(
                    (modelDim, heads, kvHeads, headDim, valueDim, group, 77),
                    (configuration.ModelDim,
                        configuration.HeadCount,
                        configuration.KvHeadCount,
                        configuration.HeadDim,
                        configuration.ValueDim,
                        configuration.QueryHeadsPerKvHead,
                        configuration.MaxSequenceLength)));
            },
            iter: 30,
            threads: 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("self_attn.")]
    [InlineData("layers.0.self_attn.")]
    public void Single_layer_needs_no_number(string prefix)
    {
        var attention = AttentionProjections.Create(layer: 0, modelDim: 6, heads: 2, kvHeads: 2, headDim: 3, valueDim: 3, bias: true);
        AssertModel(AttentionLayers.Multihead([attention], 2, _ => prefix), TensorType.F32, [attention]);
        AssertModel(AttentionLayers.Separate([attention], 2, 3, _ => prefix), TensorType.F32, [attention]);
    }

    [Fact]
    public void Shards_are_one_model()
    {
        var gpt = new Gpt(Layers: 2, Heads: 2, HeadDim: 4, Bias: true);
        var files = gpt.HuggingFace();
        using var directory = new TemporaryDirectory();
        files.WriteConfig(directory);
        foreach (var (index, shard) in files.Tensors.Chunk(5).Index())
        {
            directory.Write($"model-{index}.safetensors", TensorFile.Bytes(index % 2 == 0 ? TensorType.F32 : TensorType.BF16, shard));
        }

        AssertModel(directory, null, [gpt.Attention(0), gpt.Attention(1)]);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void Multihead_attention_is_causal_if_its_configuration_says_so(bool? stated, bool causal) =>
        AssertCausal(AttentionLayers.Multihead([Single()], 2, _ => ""), stated, causal);

    [Theory]
    [InlineData(null, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void Separate_projections_are_causal_unless_their_configuration_says_no(bool? stated, bool causal) =>
        AssertCausal(AttentionLayers.Separate([Single()], 2, 3, _ => ""), stated, causal);

    private static AttentionProjections Single() =>
        AttentionProjections.Create(layer: 0, modelDim: 6, heads: 2, kvHeads: 2, headDim: 3, valueDim: 3, bias: false);

    private static void AssertCausal(ModelFiles files, bool? stated, bool causal)
    {
        files.Config["causal"] = stated;
        using var directory = new TemporaryDirectory();
        files.Write(directory);
        using var model = ModelLocation.Open(directory.Path);
        Assert.Equal(causal, model.Configuration.Causal);
        Assert.Null(model.Configuration.Transformer);
        Assert.Throws<InvalidOperationException>(() => model.ReadBlock(0));
        Assert.Throws<InvalidOperationException>(model.ReadTransformer);
    }

    private static void AssertModel(
        ModelFiles files, TensorType type, IReadOnlyList<AttentionProjections> expected, Action<ModelConfiguration>? check = null)
    {
        using var directory = new TemporaryDirectory();
        files.Write(directory, type);
        AssertModel(directory, type, expected, check);
    }

    private static void AssertModel(
        TemporaryDirectory directory, TensorType? type, IReadOnlyList<AttentionProjections> expected, Action<ModelConfiguration>? check = null)
    {
        using var model = (CheckpointModel)ModelLocation.Open(directory.Path);
        check?.Invoke(model.Configuration);
        Assert.Equal(0, model.BytesRead);
        Assert.Equal(type ?? TensorType.F32, model.Configuration.WeightType);
        Assert.Equal((expected.Count, expected[0].KvHeads), (model.Configuration.LayerCount, model.Configuration.KvHeadCount));
        Assert.Equal(1 / MathF.Sqrt(model.Configuration.HeadDim), model.Configuration.Scale);
        foreach (var (layer, attention) in expected.Index())
        {
            for (var head = 0; head < attention.KvHeads; head++)
            {
                var before = model.BytesRead;
                var weights = model.ReadHead(layer, head);
                attention.AssertHead(weights, head);
                if (type is { } stored)
                {
                    Assert.Equal(Elements(weights.Query) + Elements(weights.Key) + Elements(weights.Value), (model.BytesRead - before) / TensorFile.Size(stored));
                }
            }

            attention.Output.AssertWhole(model.ReadOutputProjection(layer));
        }
    }

    private static long Elements(LinearWeights linear) => (linear.Inputs * linear.Outputs) + (linear.Bias?.Length ?? 0);
}
