namespace HeadCluster.Kernels.Tests.Linear;

public sealed class LargePagesTests
{
    private const int Length = 4 * 1024 * 1024;

    [Fact]
    public void Array_moves_to_large_pages_and_keeps_its_values()
    {
        const string Setting = "/sys/kernel/mm/transparent_hugepage/enabled";
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(6, 1), "large pages are asked for in the way of Linux 6.1");
        Assert.SkipUnless(File.Exists(Setting) && !File.ReadAllText(Setting).Contains("[never]", StringComparison.Ordinal), "this machine has large pages turned off");
        var values = new float[Length];
        for (var i = 0; i < Length; i++)
        {
            values[i] = i;
        }

        // 16 MiB: seven whole pages at least.
        Assert.InRange(LargePages.Use(values, sizeof(float) * Length), 7, 9);

        for (var i = 0; i < Length; i++)
        {
            Assert.Equal(i, values[i]);
        }
    }

    [Fact]
    public void Small_array_stays_where_it_is() => Assert.Equal(0, LargePages.Use(new float[1000], sizeof(float) * 1000));
}
