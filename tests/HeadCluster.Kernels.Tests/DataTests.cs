namespace HeadCluster.Kernels.Tests;

public sealed class DataTests
{
    [Fact]
    public void Noise_of_any_seed_varies_and_fills_its_range()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var values = Data.Noise(seed, 1000, amplitude: 2);
            Assert.True(values.Distinct().Count() > 990);
            Assert.InRange(values.Min(), -2, -1.9);
            Assert.InRange(values.Max(), 1.9, 2);
        }
    }
}
