using CsCheck;

namespace HeadCluster.Kernels.Tests.Attention;

public sealed class LargestKernelTests
{
    [Fact]
    public void Selected_are_the_first_of_the_row_sorted_stably()
    {
        // Few different values, so that many are equal.
        Gen.Select(Gen.Int[0, 5].Select(value => value / 4f).Array[1, 40], Gen.Int[0, 40]).Sample((row, wanted) =>
        {
            var count = Math.Min(wanted, row.Length);
            var (values, indices) = (new float[count], new int[count]);

            LargestKernel.Select(row, values, indices);

            int[] expected = [.. Enumerable.Range(0, row.Length).OrderByDescending(i => row[i]).ThenBy(i => i).Take(count)];
            Assert.Equal(expected, indices);
            Assert.Equal(expected.Select(i => row[i]), values);
        });
    }

    [Fact]
    public void More_than_there_are_cannot_be_selected()
    {
        Assert.Throws<ArgumentException>(() => LargestKernel.Select(new float[2], new float[3], new int[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => LargestKernel.Select(new float[2], new float[1], new int[2]));
    }
}
