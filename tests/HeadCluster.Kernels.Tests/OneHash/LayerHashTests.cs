using HeadCluster.Kernels.Tests.Simd;

namespace HeadCluster.Kernels.Tests.OneHash;

/// <summary>
/// The bits of a layer's output, by head size, however it is computed. That they stand here is the contract of
/// docs/numerics.md: silos of two versions work on one request, and a recorded hash is compared with tomorrow's. Who changes
/// one of these constants changes the contract and says why, or has made a mistake.
/// </summary>
public sealed class LayerHashTests
{
    private static readonly Dictionary<string, string> Golden = new()
    {
        ["1 causal"] = "e8e1718a13222e76b906a5579553e2dd94e7860a092cc0213728a22200151497",
        ["1 unmasked"] = "c0c14f7911b17b7b39600bf66d7bbf64315043e2170ba1f7bbea70e377a23c41",
        ["8 causal"] = "ab1496110dd7c1b65de6719e89d6043cc580470dd51fc5de6c097701fee2c29a",
        ["8 unmasked"] = "11353bb12e2607c6ebf9ba4155b060a5ab60108c3397fbb047b6b67f528b3ca3",
        ["16 causal"] = "09d686e1ee561c99d616974dce46f8e9888834626fde8b598e4e15d1b54bb174",
        ["16 unmasked"] = "0aa6b2eb3a50b13f49d457012fc2a00e7e14a9e85469513f055abf5c952ed529",
        ["24 causal"] = "2998ffb265df39fa2fb1c41d655a46abaaea776372f7969d425b318795f5f0dd",
        ["24 unmasked"] = "2e7f6638329daad654524e566f498c7a041fb38e42c3f592fb5ba8ccc771d51d",
        ["64 causal"] = "3d2f35cf40130eedba0de369d9d5f8e5d25d6196ad29b9cd49c87328772b1c5c",
        ["64 unmasked"] = "76605913d04ffb7cf85b9aee23f9938fc7ff15db3581875661ebb38663d79c35",
        ["80 causal"] = "2ff2722d3e7779dec1490e31809311ef70b1d57613ad38c1a852492c79285d71",
        ["80 unmasked"] = "b0fe535d80637eb7fa084060417b81880e4721b2d400cdb2124b6681f3b3d9f2",
        ["128 causal"] = "4e02766ed1631c74c636ce014f26b7979de9779e323a8a779cc6a4679ba200a2",
        ["128 unmasked"] = "3059ee770d3fd7dd4ba39309d0d60ce57cb1f730cebda9a962bb07263f43aed3",
    };

    public static TheoryData<int> HeadDims => [.. LayerWorkload.HeadDims];

    public static TheoryData<string> Variables => [.. InstructionSets.TakenBy.Keys];

    [Fact]
    public void Layer_in_this_process_has_the_golden_bits() => Assert.Equal(Golden, LayerWorkload.Hashes());

    [Theory]
    [MemberData(nameof(Variables))]
    public async Task Layer_without_an_instruction_set_has_the_golden_bits(string variable) =>
        Assert.Equal(Golden, (await ChildProcess.BitsWithoutAsync(variable)).Layers);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void Layer_on_any_number_of_threads_has_the_golden_bits(int threads)
    {
        using var pool = new MeetingPool(threads);

        // Large heads first: their first work that is worth a thread is worth two.
        foreach (var headDim in LayerWorkload.HeadDims.Reverse())
        {
            foreach (var causal in (bool[])[true, false])
            {
                var layer = LayerWorkload.Layer(headDim, causal);
                Assert.Equal(Golden[LayerWorkload.Name(headDim, causal)], LayerWorkload.Hash(headDim, x => OnThreads(layer, x, pool)));
            }
        }

        Assert.Equal(threads > 1, pool.Met);
    }

    [Theory]
    [MemberData(nameof(HeadDims))]
    public void Layer_row_by_row_has_the_golden_bits(int headDim)
    {
        Assert.Equal(Golden[LayerWorkload.Name(headDim, causal: true)], LayerWorkload.Hash(headDim, x => RowByRow(headDim, causal: true, x)));
        Assert.Equal(Golden[LayerWorkload.Name(headDim, causal: false)], LayerWorkload.Hash(headDim, x => RowByRow(headDim, causal: false, x)));
    }

    [Theory]
    [MemberData(nameof(HeadDims))]
    public void Layer_token_by_token_has_the_golden_bits(int headDim)
    {
        var layer = LayerWorkload.Layer(headDim, causal: true);
        Assert.Equal(
            Golden[LayerWorkload.Name(headDim, causal: true)],
            LayerWorkload.Hash(headDim, x => InSteps(layer, x, [.. Enumerable.Repeat(1, x.Length / LayerWorkload.ModelDim)])));
    }

    [Theory]
    [MemberData(nameof(HeadDims))]
    public void Layer_of_a_prompt_split_in_two_anywhere_has_the_golden_bits(int headDim)
    {
        var layer = LayerWorkload.Layer(headDim, causal: true);
        var hash = LayerWorkload.Hash(
            headDim,
            x =>
            {
                var whole = LayerWorkload.Whole(layer, x);
                var rows = x.Length / LayerWorkload.ModelDim;
                for (var first = 0; first <= rows; first++)
                {
                    Data.SameBits(whole, InSteps(layer, x, first, rows - first));
                }

                return whole;
            });
        Assert.Equal(Golden[LayerWorkload.Name(headDim, causal: true)], hash);
    }

    private static float[] OnThreads(AttentionLayer layer, float[] x, ComputePool pool)
    {
        var y = new float[x.Length];
        layer.AttendAsync(x, x.Length / LayerWorkload.ModelDim, y, pool).GetAwaiter().GetResult();
        return y;
    }

    private static float[] InSteps(AttentionLayer layer, float[] x, params ReadOnlySpan<int> steps)
    {
        var y = new float[x.Length];
        var caches = layer.CreateCaches(x.Length / LayerWorkload.ModelDim);
        var done = 0;
        foreach (var rows in steps)
        {
            var part = new Range(done * LayerWorkload.ModelDim, (done + rows) * LayerWorkload.ModelDim);
            layer.Attend(x.AsSpan(part), rows, y.AsSpan(part), caches);
            done += rows;
        }

        Array.ForEach(caches, cache => cache.Dispose());
        return y;
    }

    // Every product of its own: a row is projected, attends to all keys, and goes through W_O alone.
    private static float[] RowByRow(int headDim, bool causal, float[] x)
    {
        const int ModelDim = LayerWorkload.ModelDim;
        var (rows, width) = (x.Length / ModelDim, LayerWorkload.HeadCount * headDim);
        var options = new AttentionOptions(AttentionOptions.DefaultScale(headDim), causal);
        var (z, y) = (new float[rows * width], new float[x.Length]);
        var heads = LayerWorkload.Heads(headDim, causal);
        for (var head = 0; head < heads.Length; head++)
        {
            using var cache = heads[head].CreateCache(rows);
            var queries = new float[rows * headDim];
            for (var row = 0; row < rows; row++)
            {
                using var projected = heads[head].Project(x.AsSpan(row * ModelDim, ModelDim), 1);
                cache.Append(projected.Keys(), projected.Stride, projected.Values(), projected.Stride, 1);
                projected.Queries(0)[..headDim].CopyTo(queries.AsSpan(row * headDim));
            }

            for (var row = 0; row < rows; row++)
            {
                var output = z.AsSpan((row * width) + (head * headDim), headDim);
                AttentionKernel.Attend(queries.AsSpan(row * headDim), headDim, 1, row, cache, options, AttentionMask.None, output, headDim);
            }
        }

        var outputWeights = LayerWorkload.OutputWeights(headDim);
        for (var row = 0; row < rows; row++)
        {
            LinearKernel.Apply(z.AsSpan(row * width, width), 1, outputWeights, y.AsSpan(row * ModelDim, ModelDim));
        }

        return y;
    }

    /// <summary>A pool that holds its first thread up until a second one computes too, so that work handed to several is really shared.</summary>
    private sealed class MeetingPool(int threads) : ComputePool(threads)
    {
        private readonly Thread _caller = Thread.CurrentThread;
        private readonly ManualResetEventSlim _second = new();
        private int _arrived;

        public bool Met => _second.IsSet;

        protected override void Execute(Action<int, CancellationToken> work, int part, CancellationToken cancellationToken)
        {
            if (ThreadCount > 1 && Thread.CurrentThread != _caller)
            {
                if (Interlocked.Increment(ref _arrived) > 1)
                {
                    _second.Set();
                }

                _second.Wait(cancellationToken);
            }

            base.Execute(work, part, cancellationToken);
        }
    }
}
