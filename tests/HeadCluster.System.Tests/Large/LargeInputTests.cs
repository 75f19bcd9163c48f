using System.Globalization;
using HeadCluster.Client;

namespace HeadCluster.System.Tests.Large;

public sealed class LargeInputTests(ITestOutputHelper output)
{
    private const string Model = "random:gpt2-small?layers=1";
    private const int Length = 1000;
    private const int Width = 768;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The long form is <c>HEADCLUSTER_LARGE_MB=400 dotnet test -c Release</c>.</summary>
    [Fact]
    public async Task Input_of_hundreds_of_megabytes_is_answered_within_bounded_memory_of_the_silos()
    {
        var megabytes = int.Parse(Environment.GetEnvironmentVariable("HEADCLUSTER_LARGE_MB") ?? "64", CultureInfo.InvariantCulture);
        var sequences = (int)(megabytes * 1e6 / (sizeof(float) * Length * Width)) + 1;
        await using var first = await SiloProcess.StartAsync(primary: null, SiloProcess.Unrehearsed);
        await using var second = await SiloProcess.StartAsync(first, SiloProcess.Unrehearsed);
        await using var client = await HeadClusterClient.ConnectAsync(first.Gateway, Stop);
        var x = Inputs.Matrix(sequences * Length, Width);
        await client.AttendAsync(Model, 0, x.RowRange(0, Length), Stop);
        long[] before = [PeakBytes(first), PeakBytes(second)];

        var whole = await client.AttendAsync(Model, 0, new AttentionRequest(x, [.. Enumerable.Repeat(Length, sequences)]), Stop);

        Assert.Equal(2, whole.Heads.Select(head => head.Silo).Distinct().Count());
        var bytes = (long)x.Length * sizeof(float);
        long[] grown = [PeakBytes(first) - before[0], PeakBytes(second) - before[1]];
        output.WriteLine($"x of {bytes / 1e6:0} MB; the silos grew by {string.Join(" and ", grown.Select(silo => $"{silo / 1e6:0} MB"))}");

        // A silo has a few parts of 16 MiB under way, whatever the size of the whole.
        Assert.All(grown, silo => Assert.InRange(silo, 0, 250_000_000));
        for (var row = 0; row < x.Rows; row += Length)
        {
            var alone = await client.AttendAsync(Model, 0, x.RowRange(row, Length), Stop);
            Assert.Equal(alone.Output.Span, whole.Output.RowRange(row, Length).Span);
        }
    }

    // The largest resident set that the process has ever had.
    private static long PeakBytes(SiloProcess silo)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "a process' peak memory is read from /proc");
        var line = File.ReadLines($"/proc/{silo.Process.Id}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }
}
