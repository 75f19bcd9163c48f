using CsCheck;

namespace HeadCluster.Kernels.Tests.Linear;

public sealed class ProductPartsTests
{
    [Fact]
    public void Parts_in_any_order_have_the_bits_of_the_whole() => Gen.Select(Gen.OneOf(Gen.Const(1), Gen.Int[0, 200]), Gen.Int[1, 20], Gen.Int[1, 300], Gen.Int[1, 16], Gen.Int[0, 1000]).Sample(
        (rows, inputs, outputs, threads, seed) =>
        {
            var x = Data.Noise(seed, rows * inputs);
            var weights = PackedMatrix.Pack(inputs, new LinearPart(outputs, Data.Noise(seed + 1, inputs * outputs), Data.Noise(seed + 2, outputs)));
            var expected = new float[rows * outputs];
            LinearKernel.Apply(x, rows, weights, expected);

            var parts = new ProductParts(rows, weights, threads);
            var order = Enumerable.Range(0, parts.Count).ToArray();
            new Random(seed).Shuffle(order);
            using var y = new Guarded(rows * outputs);
            y.Span.Fill(float.NaN);
            foreach (var part in order)
            {
                parts.Compute(part, x, y.Span, TestContext.Current.CancellationToken);
            }

            Data.SameBits(expected, y.Span);
            y.Check();
        },
        iter: 300);

    [Fact]
    public void A_part_writes_its_columns_and_no_others() => Gen.Select(Gen.Int[1, 5], Gen.Int[1, 800], Gen.Int[1, 4]).Sample(
        (rows, outputs, threads) =>
        {
            var parts = new ProductParts(rows, PackedMatrix.Pack(inputs: 1, new LinearPart(outputs, new float[outputs])), threads);
            var written = new int[outputs];
            for (var part = 0; part < parts.Count; part++)
            {
                var y = new float[rows * outputs];
                y.AsSpan().Fill(float.NaN);
                parts.Compute(part, new float[rows], y, TestContext.Current.CancellationToken);
                var columns = Enumerable.Range(0, outputs).Where(column => !float.IsNaN(y[column])).ToArray();
                Assert.Equal(Enumerable.Range(0, outputs).Take(parts.Columns(part)), columns);
                Array.ForEach(columns, column => written[column]++);
            }

            Assert.All(written, times => Assert.Equal(1, times));
        },
        iter: 200);

    [Theory]
    [InlineData(768, 2)]
    [InlineData(50257, 8)]
    public void A_row_alone_has_two_parts_or_more_for_each_thread(int outputs, int threads)
    {
        var weights = PackedMatrix.Pack(inputs: 1, new LinearPart(outputs, new float[outputs]));
        Assert.True(new ProductParts(rows: 1, weights, threads).Count >= 2 * threads);
    }

    [Theory]
    [InlineData(128, 768, 2)]
    [InlineData(1024, 768, 8)]
    [InlineData(1024, 64, 2)]
    public void Large_products_have_several_parts_for_each_thread(int rows, int outputs, int threads)
    {
        var weights = PackedMatrix.Pack(inputs: 1, new LinearPart(outputs, new float[outputs]));
        Assert.InRange(new ProductParts(rows, weights, threads).Count, 4 * threads, 16 * threads);
    }
}
