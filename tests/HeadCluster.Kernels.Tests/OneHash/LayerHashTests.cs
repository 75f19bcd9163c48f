using HeadCluster.Kernels.Tests.Simd;

namespace HeadCluster.Kernels.Tests.OneHash;

/// <summary>
/// The bits of a layer's output, by head size, however it is computed. That they stand here is the contract of
/// docs/numerics.md: silos that are replaced one by one work on one request, and a recorded hash is compared with tomorrow's. Who changes
/// one of these constants changes the contract and says why, or has made a mistake.
/// </summary>
public sealed class LayerHashTests
{
    private static readonly Dictionary<string, string> Golden = new()
    {
        ["1 causal"] = "9f53cd6d32faf91f944eb24eb0b3a22bb057a642ec1fa7a950f1525f8b23dda3",
        ["1 unmasked"] = "5113c02160e3c98e4e461aeab24447cc8dc060c8055ae1c05c22dd9bc4130ee7",
        ["8 causal"] = "fae169a38ac5513f564dc363de219dc671dc585b0127c400039cf5b454bc2a74",
        ["8 unmasked"] = "bf22f67c89779cd12f289b5dfd7d1a5ac82ebae50e12aee6d86d8a2c9b25f058",
        ["16 causal"] = "9afc6601290c7677fc45fb735be0e4bd055ae590302e7ec34f4967eee6ac9e3e",
        ["16 unmasked"] = "2e56f8ac8808a05f920e950ce215be0a6a9e59868749eac3dd16068a25dc583c",
        ["24 causal"] = "e4a63f0956ca3f17ddcad8e9122e45e405e982193379a49447ec77665cd629c7",
        ["24 unmasked"] = "48bcf2a00df8b40ca006f7f9a34cd652f4c39bafe3e426f389959abb8fd45f65",
        ["64 causal"] = "8b3434b4be7a20df432b1db75e8a85272d93e3210f0a073d6788ba742e199c87",
        ["64 unmasked"] = "4440daffab92d00cb04052003af2ab74c866cfb0c40fdc0aedd83c9ff678de8d",
        ["80 causal"] = "0d2d3ecc00d0ff6812bcd7a1bd3deed84ce718f33b4b744f1cedea6bd9bc3d97",
        ["80 unmasked"] = "4ba68d8d53e59cdf5e624cad888925b716572398e96bd0f810f554833f14d93c",
        ["128 causal"] = "89d8c52b1cb09904def26b0b600e57bec5de1bd2162de8ddac3ef2ab4522e3a3",
        ["128 unmasked"] = "7c3d03d1a9319d943bdfade36b91b3f5db39ff321de5bf720c75ff4eb7813e58",
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
