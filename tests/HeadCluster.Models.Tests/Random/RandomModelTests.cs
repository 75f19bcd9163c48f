namespace HeadCluster.Models.Tests;

public class RandomModelTests
{
    [Theory]
    [InlineData("random:nano", 3, 48, 3, 3, 16, 11)]
    [InlineData("random:nano?seed=5", 3, 48, 3, 3, 16, 11)]
    [InlineData("random:gpt2-small?seed=1", 12, 768, 12, 12, 64, 1024)]
    [InlineData("random:llama-110m?seed=18446744073709551615", 12, 768, 12, 12, 64, 1024)]
    [InlineData("random:gpt2-small?layers=2&model_dim=128&heads=8&kv_heads=4&head_dim=32&positions=99&seed=3", 2, 128, 8, 4, 32, 99)]
    [InlineData("random:nano?heads=6", 3, 48, 6, 6, 16, 11)]
    public void Location_gives_the_sizes(string location, int layers, int dim, int heads, int kvHeads, int headDim, int positions)
    {
        using var model = ModelLocation.Open(location);
        Assert.Equal(
            new ModelConfiguration
            {
                LayerCount = layers,
                ModelDim = dim,
                HeadCount = heads,
                KvHeadCount = kvHeads,
                HeadDim = headDim,
                ValueDim = headDim,
                MaxSequenceLength = positions,
                Causal = true,
                Scale = 1 / MathF.Sqrt(headDim),
            },
            model.Configuration);
    }

    [Fact]
    public void Head_does_not_depend_on_how_heads_are_grouped()
    {
        // The same queries, eight heads wide, read as eight heads of 4, two of 16 and one of 32.
        Assert.Equal(AllQueries("random:nano?heads=8&head_dim=4&model_dim=20"), AllQueries("random:nano?heads=2&head_dim=16&model_dim=20"));
        Assert.Equal(AllQueries("random:nano?heads=8&head_dim=4&model_dim=20"), AllQueries("random:nano?heads=1&head_dim=32&model_dim=20"));
        Assert.Equal(AllQueries("random:nano?heads=8&head_dim=4&model_dim=20"), AllQueries("random:nano?heads=8&kv_heads=2&head_dim=4&model_dim=20"));
    }

    [Fact]
    public void Model_opened_again_has_the_same_bits()
    {
        var weights = Everything("random:gpt2-small?seed=9&layers=2&heads=2");
        Assert.Equal(weights, Everything("random:gpt2-small?seed=9&layers=2&heads=2"));
        Assert.NotEqual(weights, Everything("random:gpt2-small?seed=10&layers=2&heads=2"));
    }

    [Fact]
    public void Weights_of_different_places_differ()
    {
        var weights = Everything("random:nano?seed=4");
        // 24 bits a number: among 30 000 some tens of pairs agree by chance; a repeated row or matrix would be thousands.
        Assert.InRange(weights.Distinct().Count(), (int)(weights.Length * 0.99), weights.Length);
    }

    [Fact]
    public void Weights_are_uniform_with_the_variance_of_one_over_inputs()
    {
        using var model = ModelLocation.Open("random:gpt2-small?seed=1");
        var weights = model.ReadOutputProjection(3).Read();
        var bound = MathF.Sqrt(3f / 768);
        Assert.All(weights, weight => Assert.InRange(weight, -bound, bound));
        Assert.InRange(weights.Average(), -1e-3, 1e-3);
        Assert.InRange(weights.Average(weight => (double)weight * weight) * 768, 0.99, 1.01);
        var quarters = weights.CountBy(weight => (int)MathF.Floor((weight + bound) / bound * 2)).ToDictionary();
        for (var quarter = 0; quarter < 4; quarter++)
        {
            Assert.InRange(quarters[quarter], weights.Length * 0.245, weights.Length * 0.255);
        }
    }

    [Theory]
    [InlineData("random:nano", true)]
    [InlineData("random:gpt2-small?layers=1", true)]
    [InlineData("random:llama-110m?layers=1", false)]
    public void Shape_decides_whether_there_are_biases(string location, bool bias)
    {
        using var model = ModelLocation.Open(location);
        var head = model.ReadHead(0, 1);
        Assert.Equal(bias, head.Query.Bias is not null);
        Assert.Equal(bias, head.Key.Bias is not null);
        Assert.Equal(bias, head.Value.Bias is not null);
        Assert.Equal(bias, model.ReadOutputProjection(0).Bias is not null);
    }

    [Fact]
    public void Attention_only_model_has_no_blocks()
    {
        using var model = ModelLocation.Open("random:nano");
        Assert.Throws<InvalidOperationException>(() => model.ReadBlock(0));
        Assert.Throws<InvalidOperationException>(model.ReadTransformer);
    }

    [Fact]
    public void Layer_or_head_outside_the_model_throws()
    {
        using var model = ModelLocation.Open("random:nano?kv_heads=1");
        Assert.Throws<ArgumentOutOfRangeException>(() => model.ReadHead(3, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.ReadHead(-1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.ReadHead(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.ReadHead(0, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.ReadOutputProjection(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.ReadBlock(3));
    }

    [Theory]
    [InlineData("random:", "gpt2-small")]
    [InlineData("random:huge", "random:nano, random:gpt2-small, random:llama-110m")]
    [InlineData("random:nano?width=3", "layers, model_dim")]
    [InlineData("random:nano?seed", "name=number")]
    [InlineData("random:nano?seed=1=2", "name=number")]
    [InlineData("random:nano?seed=-1", "from 0 to 18446744073709551615")]
    [InlineData("random:nano?layers=0", "from 1 to")]
    [InlineData("random:nano?layers=99999999999", "from 1 to")]
    [InlineData("random:nano?seed=1&seed=2", "twice")]
    [InlineData("random:nano?heads=6&kv_heads=4", "divide")]
    [InlineData("random:nano?layers=32768&kv_heads=64&heads=64", "32768 layers of 64 kv_heads are 2097152 heads; expected at most 1048576")]
    [InlineData("random:nano?heads=1&model_dim=32768&head_dim=32768", "the projections of a head: 32768 × 98304 = 3221225472 weights; expected at most 2147483527")]
    [InlineData("random:nano?heads=4096&model_dim=32768", "the output projection of a layer: 65536 × 32768 = 2147483648 weights; expected at most 2147483527")]
    public void Unknown_location_says_what_is_known(string location, string essential)
    {
        var error = Assert.Throws<ModelException>(() => ModelLocation.Open(location));
        Assert.Contains(essential, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>Queries of layer 1, <c>[ModelDim, HeadCount · HeadDim]</c>, put together from the heads.</summary>
    private static float[] AllQueries(string location)
    {
        using var model = ModelLocation.Open(location);
        var heads = Enumerable.Range(0, model.Configuration.KvHeadCount).Select(head => model.ReadHead(1, head).Query).Select(query => (query.Outputs, Weights: query.Read())).ToList();
        return
        [
            .. Enumerable.Range(0, model.Configuration.ModelDim)
                .SelectMany(row => heads.SelectMany(head => head.Weights.Skip(row * head.Outputs).Take(head.Outputs))),
        ];
    }

    private static float[] Everything(string location)
    {
        using var model = ModelLocation.Open(location);
        var heads =
            from layer in Enumerable.Range(0, model.Configuration.LayerCount)
            from head in Enumerable.Range(0, model.Configuration.KvHeadCount)
            let weights = model.ReadHead(layer, head)
            select (LinearWeights[])[weights.Query, weights.Key, weights.Value];
        var outputs = Enumerable.Range(0, model.Configuration.LayerCount).Select(model.ReadOutputProjection);
        return [.. heads.SelectMany(parts => parts).Concat(outputs).SelectMany(linear => linear.Read().Concat(linear.Bias ?? []))];
    }
}
