using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

/// <summary>The trained model of the lesson, against the numbers its author published in another format.</summary>
public class NanoSortTests
{
    [Fact]
    public void Recorded_model_opens_with_its_sizes()
    {
        using var model = ModelLocation.Open(Cases.Find("nano-sort"));
        var configuration = model.Configuration;
        Assert.Equal((3, 48, 3, 3, 16, 16, 11), (
            configuration.LayerCount,
            configuration.ModelDim,
            configuration.HeadCount,
            configuration.KvHeadCount,
            configuration.HeadDim,
            configuration.ValueDim,
            configuration.MaxSequenceLength));
        Assert.True(configuration.Causal);
        Assert.Equal(0.25f, configuration.Scale);
        Assert.Equal(
            new TransformerConfiguration { VocabularySize = 3, FeedForwardDim = 192, NormEpsilon = 1e-5f, Activation = Activation.GeluTanh },
            configuration.Transformer);
    }

    [Fact]
    public void Heads_are_the_rows_of_the_published_matrix_that_the_lesson_names()
    {
        using var model = ModelLocation.Open(Cases.Find("nano-sort"));
        for (var layer = 0; layer < 3; layer++)
        {
            var published = RecordedTensors.Model[$"transformer.h.{layer}.attn.c_attn.weight"];
            for (var head = 0; head < 3; head++)
            {
                var weights = model.ReadHead(layer, head);
                Assert.Equal(Transposed(published, 16 * head, 16, 48), weights.Query.Read());
                Assert.Equal(Transposed(published, 48 + (16 * head), 16, 48), weights.Key.Read());
                Assert.Equal(Transposed(published, 96 + (16 * head), 16, 48), weights.Value.Read());
            }
        }
    }

    [Fact]
    public void Everything_around_the_heads_is_what_was_published()
    {
        using var model = ModelLocation.Open(Cases.Find("nano-sort"));
        var transformer = model.ReadTransformer();
        Assert.Equal(RecordedTensors.Model["transformer.wte.weight"], transformer.TokenEmbedding);
        Assert.Equal(RecordedTensors.Model["transformer.wpe.weight"], transformer.PositionEmbedding);
        Assert.Equal(RecordedTensors.Model["transformer.ln_f.weight"], transformer.FinalNorm.Scale);
        Assert.Equal(RecordedTensors.Model["transformer.ln_f.bias"], transformer.FinalNorm.Bias);
        Assert.Equal(Transposed(RecordedTensors.Model["lm_head.weight"], 0, 3, 48), transformer.Logits.Read());
        Assert.Null(transformer.Logits.Bias);
        for (var layer = 0; layer < 3; layer++)
        {
            var name = $"transformer.h.{layer}.";
            var block = model.ReadBlock(layer);
            Assert.Equal(RecordedTensors.Model[$"{name}ln_1.weight"], block.AttentionNorm.Scale);
            Assert.Equal(RecordedTensors.Model[$"{name}ln_2.bias"], block.FeedForwardNorm.Bias);
            Assert.Equal(Transposed(RecordedTensors.Model[$"{name}mlp.c_fc.weight"], 0, 192, 48), block.Up.Read());
            Assert.Equal(Transposed(RecordedTensors.Model[$"{name}mlp.c_proj.weight"], 0, 48, 192), block.Down.Read());
            Assert.Equal(RecordedTensors.Model[$"{name}mlp.c_proj.bias"], block.Down.Bias);
            var output = model.ReadOutputProjection(layer);
            Assert.Equal(Transposed(RecordedTensors.Model[$"{name}attn.c_proj.weight"], 0, 48, 48), output.Read());
            Assert.Equal(RecordedTensors.Model[$"{name}attn.c_proj.bias"], output.Bias);
        }
    }

    /// <summary><c>[rows, columns]</c> from a row on, as <c>[columns, rows]</c>.</summary>
    private static float[] Transposed(float[] matrix, int firstRow, int rows, int columns) =>
        [.. Enumerable.Range(0, columns).SelectMany(c => Enumerable.Range(firstRow, rows).Select(r => matrix[(r * columns) + c]))];
}
