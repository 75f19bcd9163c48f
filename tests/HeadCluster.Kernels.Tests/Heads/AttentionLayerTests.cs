using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Heads;

public sealed class AttentionLayerTests
{
    // Four query heads in two groups; values narrower than keys.
    private const int ModelDim = 24, Rows = 21, HeadDim = 10, ValueDim = 7, QueryHeads = 2, Groups = 2;
    private const int Width = Groups * QueryHeads * ValueDim;
    private static readonly HeadShape Shape = new(ModelDim, QueryHeads, HeadDim, ValueDim);
    private static readonly float[] X = Data.Noise(1, Rows * ModelDim);
    private static readonly LinearPart Output = Part(90, Width, ModelDim);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Layer_equals_its_definition(bool causal)
    {
        var z = new double[Rows * Width];
        for (var head = 0; head < Groups * QueryHeads; head++)
        {
            var (group, query) = Math.DivRem(head, QueryHeads);
            var (queries, keys, values) = (Defined(Query(group)), Defined(Key(group)), Defined(Value(group)));
            double[] own = [.. queries.Where((_, i) => i / HeadDim % QueryHeads == query)];
            var scores = AttentionDefinition.Scores<double>(own, keys, Rows, Rows, HeadDim, Options(causal).Scale, causal, 0, 0, []);
            var output = AttentionDefinition.Mix<double>(AttentionDefinition.Pattern<double>(scores, Rows, Rows), values, Rows, Rows, ValueDim);
            for (var i = 0; i < output.Length; i++)
            {
                z[(i / ValueDim * Width) + (head * ValueDim) + (i % ValueDim)] = output[i];
            }
        }

        var expected = AttentionDefinition.Linear<double>(
            z, Data.Widen(Output.Weights.Span), Data.Widen(Output.Bias.Span), Rows, Width, ModelDim);
        Tolerance.Sum.Check(expected, Attend(Layer(causal), X));
    }

    [Fact]
    public async Task Layer_on_threads_with_caches_has_the_bits_of_the_calling_thread()
    {
        using var pool = new ComputePool(2);
        var (layer, steps) = (Layer(), new float[X.Length]);
        var caches = layer.CreateCaches(Rows);
        foreach (var (first, count) in ((int, int)[])[(0, 5), (5, 1), (6, 15)])
        {
            await layer.AttendAsync(
                X.AsMemory(first * ModelDim, count * ModelDim), count, steps.AsMemory(first * ModelDim, count * ModelDim), pool, caches);
            Assert.All(caches, cache => Assert.Equal(first + count, cache.Length));
        }

        Data.SameBits(Attend(layer, X), steps);
        Array.ForEach(caches, cache => cache.Dispose());
    }

    // A layer keeps the caches of whole sequences for the next call.
    [Fact]
    public void Sequence_after_longer_and_shorter_ones_has_the_bits_of_the_first_call()
    {
        var layer = Layer();
        foreach (var rows in (int[])[3, Rows, 1, 17, Rows, 2])
        {
            Data.SameBits(Attend(Layer(), X[..(rows * ModelDim)]), Attend(layer, X[..(rows * ModelDim)]));
        }
    }

    [Fact]
    public void Sequences_on_several_threads_at_once_have_the_bits_of_each_alone()
    {
        var layer = Layer();
        float[][] expected = [.. Enumerable.Range(1, Rows).Select(rows => Attend(Layer(), X[..(rows * ModelDim)]))];
        Parallel.For(0, 500, i => Data.SameBits(expected[i % Rows], Attend(layer, X[..(((i % Rows) + 1) * ModelDim)])));
    }

    [Fact]
    public void Sequence_of_no_rows_leaves_its_output_and_caches()
    {
        var layer = Layer();
        var (y, caches) = (Enumerable.Repeat(7f, ModelDim).ToArray(), layer.CreateCaches(4));
        layer.Attend([], 0, y);
        layer.Attend([], 0, y, caches);
        Assert.All(y, value => Assert.Equal(7, value));
        Assert.All(caches, cache => Assert.Equal(0, cache.Length));
        Array.ForEach(caches, cache => cache.Dispose());
    }

    [Fact]
    public void Caches_are_one_a_head_and_hold_what_was_asked_for()
    {
        var layer = Layer();
        var caches = layer.CreateCaches(5);
        Assert.Equal(Groups, caches.Length);
        Assert.All(caches, cache => Assert.Equal((HeadDim, ValueDim, 5, 0), (cache.HeadDim, cache.ValueDim, cache.Capacity, cache.Length)));
        layer.Attend(X, 5, new float[5 * ModelDim], caches);
        Assert.Throws<InvalidOperationException>(() => layer.Attend(X, 1, new float[ModelDim], caches));
        Assert.All(caches, cache => Assert.Equal(5, cache.Length));
        Array.ForEach(caches, cache => cache.Dispose());
    }

    [Fact]
    public void Sequence_that_is_refused_leaves_its_caches_as_they_were()
    {
        var layer = Layer();
        var caches = layer.CreateCaches(5);
        Assert.Throws<ArgumentException>(() => layer.Attend(X, 2, new float[(2 * ModelDim) - 1], caches));
        Assert.Throws<ArgumentException>(() => layer.Attend(X, 2, new float[2 * ModelDim], caches[1..]));
        Assert.All(caches, cache => Assert.Equal(0, cache.Length));
        Array.ForEach(caches, cache => cache.Dispose());
    }

    [Theory]
    [InlineData(HeadDim + 1, ValueDim)]
    [InlineData(HeadDim, ValueDim + 1)]
    public async Task Caches_of_another_shape_of_several_lengths_or_without_room_throw_before_any_changes(int headDim, int valueDim)
    {
        using var pool = new ComputePool(1);
        var layer = Layer();
        using var other = new KvCache(headDim, valueDim, Rows);
        using var full = layer.CreateCaches(3)[1];
        using var ahead = layer.CreateCaches(Rows)[1];
        using var own = layer.CreateCaches(Rows)[0];
        ahead.Append(X, HeadDim, X, ValueDim, 1);
        await ThrowsAsync<ArgumentException>(other);
        await ThrowsAsync<ArgumentException>(ahead);
        await ThrowsAsync<InvalidOperationException>(full);
        full.Dispose();
        await ThrowsAsync<ObjectDisposedException>(full);
        Assert.Equal((0, 0, 1), (own.Length, other.Length, ahead.Length));

        async Task ThrowsAsync<T>(KvCache second)
            where T : Exception
        {
            Assert.Throws<T>(() => layer.Attend(X, 4, new float[4 * ModelDim], [own, second]));
            await Assert.ThrowsAsync<T>(() => layer.AttendAsync(X, 4, new float[4 * ModelDim], pool, [own, second]));
        }
    }

    [Fact]
    public async Task Sequence_cancelled_between_two_heads_leaves_its_caches_as_they_were_and_the_next_one_is_right()
    {
        using var cancellation = new CancellationTokenSource();
        using var pool = new CancellingPool(cancellation);
        var (layer, y) = (Layer(), new float[X.Length]);
        var caches = layer.CreateCaches(Rows);
        layer.Attend(X, 5, y, caches);

        var (rest, z) = (X.AsMemory(5 * ModelDim), y.AsMemory(5 * ModelDim));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => layer.AttendAsync(rest, Rows - 5, z, pool, caches, cancellation.Token));
        Assert.Equal((1, 5, 5), (pool.Ran, caches[0].Length, caches[1].Length));

        await layer.AttendAsync(rest, Rows - 5, z, pool, caches, TestContext.Current.CancellationToken);
        Data.SameBits(Attend(Layer(), X), y);
        Array.ForEach(caches, cache => cache.Dispose());
    }

    [Fact]
    public void Sequence_that_fails_in_a_later_head_leaves_the_cache_of_the_first_as_it_was()
    {
        var layer = Layer();
        using var both = layer.CreateCaches(7)[0];
        both.Append(X, HeadDim, X, ValueDim, 2);

        // There is room for the first head's positions, and then for no others.
        Assert.Throws<InvalidOperationException>(() => layer.Attend(X, 3, new float[3 * ModelDim], [both, both]));
        Assert.Equal(2, both.Length);
    }

    [Fact]
    public void Layer_of_shapes_that_do_not_fit_throws()
    {
        var (head, output) = (Head(0), PackedMatrix.Pack(Width, Output));
        Assert.Throws<ArgumentException>(() => new AttentionLayer([], output));
        Assert.Throws<ArgumentException>(() => new AttentionLayer([head], output));
        Assert.Throws<ArgumentException>(() => new AttentionLayer([head, head, head], output));
        Assert.Throws<ArgumentException>(() => new AttentionLayer([head, head], PackedMatrix.Pack(Width, Part(1, Width, ModelDim + 1))));
        var alone = new HeadShape(ModelDim, 1, HeadDim, 2 * ValueDim);
        var other = new AttentionHead(alone, Options(true), Key(0), Key(0), Part(1, ModelDim, 2 * ValueDim));
        Assert.Throws<ArgumentException>(() => new AttentionLayer([head, other], output));
    }

    [Fact]
    public async Task Sequence_of_short_spans_throws()
    {
        using var pool = new ComputePool(1);
        var layer = Layer();
        Assert.Throws<ArgumentException>(() => layer.Attend(X.AsSpan(1), Rows, new float[X.Length]));
        Assert.Throws<ArgumentException>(() => layer.Attend(X, Rows, new float[X.Length - 1]));
        Assert.ThrowsAny<ArgumentException>(() => layer.Attend(X, -1, new float[X.Length]));
        await Assert.ThrowsAsync<ArgumentException>(() => layer.AttendAsync(X.AsMemory(1), Rows, new float[X.Length], pool));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => layer.AttendAsync(X, Rows, new float[X.Length - 1], pool));
        Data.SameBits(Attend(Layer(), X), Attend(layer, X));
    }

    [Fact]
    public void Cancelled_sequence_throws_and_the_next_one_is_right()
    {
        var (layer, y) = (Layer(), new float[X.Length]);
        Assert.Throws<OperationCanceledException>(() => layer.Attend(X, Rows, y, caches: null, new CancellationToken(canceled: true)));
        Assert.All(y, value => Assert.Equal(0, value));
        Data.SameBits(Attend(Layer(), X), Attend(layer, X));
    }

    [Fact]
    public void Weights_of_a_layer_are_those_of_its_heads_and_of_its_output()
    {
        var projection = (QueryHeads * HeadDim) + HeadDim + ValueDim;
        var head = PackedMatrix.SizeOf(ModelDim, projection, WeightFormat.Float32);
        Assert.Equal((Groups * head) + PackedMatrix.SizeOf(Width, ModelDim, WeightFormat.Float32), Layer().WeightBytes);
    }

    private static float[] Attend(AttentionLayer layer, float[] x)
    {
        var y = new float[x.Length];
        layer.Attend(x, x.Length / ModelDim, y);
        return y;
    }

    private static AttentionLayer Layer(bool causal = true) => new([Head(0, causal), Head(1, causal)], PackedMatrix.Pack(Width, Output));

    private static AttentionHead Head(int group, bool causal = true) => new(Shape, Options(causal), Query(group), Key(group), Value(group));

    private static AttentionOptions Options(bool causal) => new(AttentionOptions.DefaultScale(HeadDim), causal);

    private static LinearPart Query(int group) => Part(10 + group, ModelDim, QueryHeads * HeadDim);

    private static LinearPart Key(int group) => Part(20 + group, ModelDim, HeadDim);

    private static LinearPart Value(int group) => Part(30 + group, ModelDim, ValueDim);

    private static LinearPart Part(int seed, int inputs, int outputs) =>
        new(outputs, Data.Noise(seed, inputs * outputs), Data.Noise(seed + 5, outputs));

    private static double[] Defined(LinearPart part) => AttentionDefinition.Linear<double>(
        Data.Widen(X), Data.Widen(part.Weights.Span), Data.Widen(part.Bias.Span), Rows, ModelDim, part.Outputs);

    /// <summary>A pool that cancels its work when the first part has ended.</summary>
    private sealed class CancellingPool(CancellationTokenSource cancellation) : ComputePool(1)
    {
        public int Ran { get; private set; }

        protected override void Execute(Action<int, CancellationToken> work, int part, CancellationToken cancellationToken)
        {
            base.Execute(work, part, cancellationToken);
            Ran++;
            cancellation.Cancel();
        }
    }
}
