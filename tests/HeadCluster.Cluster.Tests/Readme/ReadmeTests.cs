using HeadCluster.Testing;

namespace HeadCluster.Tests.Readme;

/// <summary>The README's example is the code of this file.</summary>
public sealed class ReadmeTests
{
    // README: begin
    [Fact]
    public async Task A_layer_gives_the_same_bits_wherever_its_heads_are()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(silos: 3, ("my-gpt", NanoGpt.Directory));
        var x = new FloatTensor([.. Enumerable.Range(0, 11 * 48).Select(i => MathF.Sin(i))], 11, 48);
        var stop = TestContext.Current.CancellationToken;
        var before = await cluster.Client.AttendAsync("my-gpt", layer: 0, x, stop);

        await cluster.PlaceHeadAsync(new HeadId("my-gpt", Layer: 0, KvHead: 2), cluster.Silos[0]);
        await cluster.KillSiloAsync(cluster.Silos[2]);

        var after = await cluster.Client.AttendAsync("my-gpt", layer: 0, x, stop);
        Assert.Equal(before.Output.Span, after.Output.Span);
    }

    // README: end
    [Fact]
    public void The_readme_shows_the_example_above()
    {
        var source = File.ReadAllText(Repository.Find("tests", "HeadCluster.Cluster.Tests", "Readme", "ReadmeTests.cs"));
        var example = source.Split("// README: begin\n")[1].Split("\n    // README: end")[0];
        var lines = example.TrimEnd().Split('\n').Select(line => line.Length > 4 ? line[4..] : line);

        // The README names a folder where the test finds the shipped model's.
        var shown = string.Join('\n', lines).Replace("NanoGpt.Directory", "\"checkpoints/my-gpt\"", StringComparison.Ordinal);
        Assert.Contains(shown, File.ReadAllText(Repository.Find("README.md")), StringComparison.Ordinal);
    }
}
