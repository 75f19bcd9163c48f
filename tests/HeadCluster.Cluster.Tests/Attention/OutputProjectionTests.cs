using CsCheck;
using HeadCluster.Grains;
using HeadCluster.Kernels;

namespace HeadCluster.Tests.Attention;

/// <summary>The output projection takes heads as they come.</summary>
public sealed class OutputProjectionTests
{
    private const int Width = 16;

    // 2 × 16 × 700 × rows operations a head: with 100 rows each head is worth a thread's attention, with 3 all of them together are not.
    private const int ModelDim = 700;

    private static readonly Gen<(int[] Order, int Rows)> Arrivals =
        from heads in Gen.Int[1, 12]
        from order in Gen.Shuffle(Enumerable.Range(0, heads).ToArray())
        from rows in Gen.OneOf(Gen.Const(3), Gen.Const(100))
        select (order, rows);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public Task Heads_that_come_in_any_order_give_the_bits_of_all_at_once() => Arrivals.SampleAsync(
        async arrival =>
        {
            var (order, rows) = arrival;
            using var pool = new ComputePool(2);
            var weights = PackedMatrix.Pack(order.Length * Width, new LinearPart(ModelDim, Noise(order.Length * Width * ModelDim), Noise(ModelDim)));
            var expected = new float[rows * ModelDim];
            var z = Noise(rows * order.Length * Width);
            LinearKernel.Apply(z, rows, weights, expected);

            // What has not come is not read.
            var arriving = new ArrivingHeads(HeadMatrix.Rent(rows, order.Length, Width));
            FillWithNaN(arriving.Matrix);
            var projection = OutputProjection.ApplyAsync(pool, weights, arriving, arriving.Matrix.Tensor, headsHere: 0, pool.TakeTurn(), Stop);
            foreach (var head in order)
            {
                Assert.False(projection.IsCompleted);
                var place = arriving.Matrix.At(head);
                HeadMatrix.Copy(new FloatTensor(z, rows, order.Length * Width), head * Width, Width, place.Span, place.Stride);
                arriving.Add(head);
            }

            var output = await projection;
            Assert.Equal(expected, output.Span);
        },
        iter: 50);

    [Fact]
    public async Task The_wait_for_heads_that_never_come_can_be_cancelled()
    {
        using var pool = new ComputePool(1);
        using var end = new CancellationTokenSource();
        var arriving = new ArrivingHeads(HeadMatrix.Rent(rows: 1, heads: 2, Width));
        arriving.Add(1);
        var weights = PackedMatrix.Pack(2 * Width, new LinearPart(1, new float[2 * Width]));
        var projection = OutputProjection.ApplyAsync(pool, weights, arriving, arriving.Matrix.Tensor, headsHere: 0, pool.TakeTurn(), end.Token);
        Assert.False(projection.IsCompleted);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => projection);
    }

    /// <summary>With two threads one of three heads may still be computed when the other has nothing to do.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task It_begins_when_not_all_threads_compute_heads_of_this_silo(int threads, bool begins)
    {
        const int Rows = 100;
        using var pool = new CountingPool(threads);
        var arriving = new ArrivingHeads(HeadMatrix.Rent(Rows, heads: 4, Width));
        var weights = PackedMatrix.Pack(4 * Width, new LinearPart(ModelDim, Noise(4 * Width * ModelDim)));
        arriving.Add(0);
        arriving.Add(1);
        var projection = OutputProjection.ApplyAsync(pool, weights, arriving, arriving.Matrix.Tensor, headsHere: 3, pool.TakeTurn(), Stop);

        // What comes after it, and what came before has begun when this has.
        await pool.RunAsync(ComputePool.InlineOperations, _ => { }, cancellationToken: Stop);
        Assert.Equal(begins, pool.Parts > 1);
        arriving.Add(2);
        arriving.Add(3);
        await projection;
    }

    private static void FillWithNaN(HeadMatrix matrix)
    {
        for (var head = 0; head < matrix.Heads; head++)
        {
            var nothing = new float[matrix.Tensor.Rows * matrix.Width];
            Array.Fill(nothing, float.NaN);
            matrix.At(head).Write(new FloatTensor(nothing, matrix.Tensor.Rows, matrix.Width));
        }
    }

    private sealed class CountingPool(int threads) : ComputePool(threads)
    {
        private int _parts;

        public int Parts => Volatile.Read(ref _parts);

        protected override void Execute(Action<int, CancellationToken> work, int part, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _parts);
            base.Execute(work, part, cancellationToken);
        }
    }

    private static float[] Noise(int length) => Matrices.Random(1, length).Span.ToArray();
}
