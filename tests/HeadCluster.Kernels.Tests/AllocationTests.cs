namespace HeadCluster.Kernels.Tests;

/// <summary>Calls that come thousands of times a second allocate nothing: their memory is the caller's or a pool's.</summary>
public sealed class AllocationTests
{
    private const int Rows = 21, ModelDim = 40, HeadDim = 12, Keys = AttentionKernel.BlockKeys + 30;
    private static readonly float[] X = Data.Noise(1, Rows * ModelDim);
    private static readonly float[] Y = new float[Keys * ModelDim];
    private static readonly AttentionOptions Options = new(0.3f, Causal: true);

    public static TheoryData<WeightFormat> Formats => [WeightFormat.Float32, WeightFormat.BFloat16, WeightFormat.Float16];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Linear_allocates_nothing(WeightFormat format)
    {
        var weights = Data.Noise(2, ModelDim * 37).Select(value => MathF.Round(value * 100) / 128).ToArray();
        var matrix = PackedMatrix.Pack(ModelDim, new LinearPart(37, weights, Format: format));
        AllocatesNothing(() => LinearKernel.Apply(X, Rows, matrix, Y));
    }

    [Fact]
    public void Attention_and_its_pattern_allocate_nothing()
    {
        using var cache = new KvCache(HeadDim, 19, Keys);
        cache.Append(Data.Noise(2, Keys * HeadDim), HeadDim, Data.Noise(3, Keys * 19), 19, Keys);
        var bias = new float[Rows * Keys];
        AllocatesNothing(() => AttentionKernel.Attend(X, HeadDim, Rows, Keys - Rows, cache, Options, AttentionMask.None, Y, 19));
        AllocatesNothing(() => AttentionKernel.Attend(X, HeadDim, Rows, Keys - Rows, cache, Options, AttentionMask.Additive(bias, Keys), Y, 19));
        AllocatesNothing(() => AttentionKernel.Pattern(X, HeadDim, Rows, Keys - Rows, cache, Options, AttentionMask.None, Y));
    }

    [Fact]
    public void Functions_of_rows_and_elements_allocate_nothing()
    {
        AllocatesNothing(() => SoftmaxKernel.Apply(X, Y));
        AllocatesNothing(() => LayerNormKernel.Apply(X, Rows, X.AsSpan(0, ModelDim), X.AsSpan(0, ModelDim), 1e-5f, Y));
        AllocatesNothing(() => GeluKernel.ApplyErf(X, Y));
        AllocatesNothing(() => GeluKernel.ApplyTanh(X, Y));
        AllocatesNothing(() => ResidualKernel.Add(X, Y.AsSpan(0, X.Length)));
        AllocatesNothing(() => NonFinite.IndexOf(X));
    }

    [Fact]
    public void Cache_that_is_filled_cleared_and_reset_allocates_nothing()
    {
        using var cache = new KvCache(HeadDim, HeadDim, Rows);
        AllocatesNothing(() =>
        {
            cache.Append(X, ModelDim, X, ModelDim, Rows);
            cache.Clear();
            cache.Append(X, ModelDim, X, ModelDim, Rows);
            cache.Reset(Rows);
        });
    }

    [Fact]
    public void Layer_of_a_whole_prompt_and_of_a_token_allocates_nothing()
    {
        LinearPart Part(int seed, int inputs, int outputs) => new(outputs, Data.Noise(seed, inputs * outputs));
        AttentionHead Head(int seed) => new(
            new HeadShape(ModelDim, 1, HeadDim, HeadDim),
            Options,
            Part(seed, ModelDim, HeadDim),
            Part(seed + 1, ModelDim, HeadDim),
            Part(seed + 2, ModelDim, HeadDim));
        var layer = new AttentionLayer([Head(10), Head(20)], PackedMatrix.Pack(2 * HeadDim, Part(30, 2 * HeadDim, ModelDim)));
        AllocatesNothing(() => layer.Attend(X, Rows, Y));

        var caches = layer.CreateCaches(1000);
        AllocatesNothing(() => layer.Attend(X, 1, Y, caches));
        Array.ForEach(caches, cache => cache.Dispose());
    }

    private static void AllocatesNothing(Action call) => Assert.Equal(0, Allocated.By(call));
}
