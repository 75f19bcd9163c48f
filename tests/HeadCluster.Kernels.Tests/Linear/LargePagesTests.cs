namespace HeadCluster.Kernels.Tests.Linear;

public sealed class LargePagesTests
{
    private const int Length = 4 * 1024 * 1024;

    [Fact]
    public void Array_moves_to_large_pages_and_keeps_its_values()
    {
        const string Settings = "/sys/kernel/mm/transparent_hugepage";
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(6, 1), "large pages are asked for in the way of Linux 6.1");
        Assert.SkipUnless(Directory.Exists(Settings), "this machine has no large pages");
        Assert.SkipWhen(File.ReadAllText($"{Settings}/enabled").Contains("[never]", StringComparison.Ordinal), "large pages are turned off on this machine");
        var pageBytes = File.ReadAllText($"{Settings}/hpage_pmd_size").Trim();
        Assert.SkipUnless(pageBytes == "2097152", $"a large page of this machine has {pageBytes} bytes, not 2 MiB");
        var values = new float[Length];
        for (var i = 0; i < Length; i++)
        {
            values[i] = i;
        }

        // 16 MiB: seven whole pages at least.
        Assert.InRange(LargePages.Use(values), 7, 9);

        for (var i = 0; i < Length; i++)
        {
            Assert.Equal(i, values[i]);
        }
    }

    [Fact]
    public void Small_array_stays_where_it_is() => Assert.Equal(0, LargePages.Use(new float[1000]));
}
