using HeadCluster.Client;

namespace HeadCluster.System.Tests.Recovery;

/// <summary>A silo that runs and that nobody reaches any more: no connection is closed, and no process ends.</summary>
public sealed class CutLinkTests(ITestOutputHelper output)
{
    private const string Model = "random:gpt2-small?layers=1";

    // Promised with the shipped settings.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_whose_silo_is_cut_off_is_finished_elsewhere_with_the_same_bits()
    {
        await using var link = await NetworkLink.LayAsync();
        await using var redis = await RedisServer.StartAsync(link.Near);
        await using var first = await SiloProcess.StartAsync(primary: null, OnRedis(link.Near, "first"));
        await using var second = await SiloProcess.StartAsync(primary: null, OnRedis(link.Near, "second"));
        await using var remote = await SiloProcess.StartAsync(link, OnRedis(link.Far, "remote"));
        await using var client = await HeadClusterClient.ConnectAsync($"{link.Near}:{first.GatewayPort}", Stop);
        var input = Inputs.Matrix(rows: 1000, columns: 768);
        var expected = await client.AttendAsync(Model, 0, input, Stop);
        Assert.Contains(expected.Heads, IsRemote);

        // The connections are there and at rest, and the request finds out by itself that they lead nowhere.
        await link.CutAsync();
        var asked = TimeProvider.System.GetTimestamp();
        var actual = await client.AttendAsync(Model, 0, input, Stop);
        var waited = TimeProvider.System.GetElapsedTime(asked);

        output.WriteLine($"answered {waited.TotalSeconds:0.0} s after the link was cut");
        Assert.Equal(expected.Output.Span, actual.Output.Span);
        Assert.DoesNotContain(actual.Heads, IsRemote);
        Assert.InRange(waited, TimeSpan.Zero, Longest);

        bool IsRemote(HeadReport head) => head.Silo.Endpoint.Address.ToString() == link.Far;

        string[] OnRedis(string address, string name) =>
            ["--clustering", "Redis", "--connection-string", $"{link.Near}:{redis.Port}", "--advertised-address", address, "--name", name];
    }
}
