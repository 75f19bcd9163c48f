using System.Net;
using System.Net.Sockets;
using HeadCluster.Client;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests.Clustering;

public sealed class RedisClusterTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_silos_find_each_other_and_give_the_bytes_of_one()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var cluster = await LocalCluster.StartAsync(3, "--redis", redis.Address);
        using var folder = new TemporaryDirectory();
        string[] attend =
        [
            "attend", "--model", Inputs.Model, "--layer", "1", "--input", Inputs.Write(folder.File("x.npy"), rows: 9), "--output",
        ];

        await CommandResult.SucceedAsync([.. attend, folder.File("embedded.npy")]);
        await CommandResult.SucceedAsync([.. attend, folder.File("cluster.npy"), "--cluster", redis.Uri]);

        Assert.Equal(File.ReadAllBytes(folder.File("embedded.npy")), File.ReadAllBytes(folder.File("cluster.npy")));
        var status = (await CommandResult.SucceedAsync("status", "--cluster", redis.Uri, "--json")).Json;
        Assert.Equal(
            ["silo-1", "silo-2", "silo-3"], status.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("name").GetString()).Order());
        Assert.Equal(3, status.GetProperty("heads").EnumerateArray().Select(head => head.GetProperty("silo").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Cluster_of_another_service_is_joined_by_its_names()
    {
        await using var silos = await RedisSilos.StartAsync(1, new() { ["HeadCluster__Silo__ServiceId"] = "heads" }, "--cluster-id", "theirs");
        string[] status = ["status", "--cluster", silos.Redis.Uri, "--cluster-id", "theirs"];

        await CommandResult.SucceedAsync([.. status, "--service-id", "heads"]);
        (await CommandResult.RunAsync(status)).AssertRefused("no silo of cluster 'theirs'");
    }

    [Theory]
    [InlineData("KILL")]
    [InlineData("STOP")]
    public async Task Silo_that_ends_or_hangs_is_found_dead_and_its_heads_come_back(string signal)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var cluster = await LocalCluster.StartAsync(3, "--redis", redis.Address);
        await using var client = await HeadClusterClient.ConnectAsync(cluster.Silos[0].Gateway, Cancelled);
        var input = Inputs.Matrix(rows: 5);
        var before = await client.AttendAsync(Inputs.Model, 0, input, Cancelled);

        await cluster.Silos[2].SignalAsync(signal);
        await Eventually.IsTrueAsync(async () => await SilosAsync(client) == 2, "two silos left");
        var after = await Eventually.SucceedsAsync(() => client.AttendAsync(Inputs.Model, 0, input, Cancelled));

        Assert.Equal(before.Output.Span, after.Output.Span);
        Assert.Equal(["silo-1", "silo-2"], (await client.StatusAsync(Cancelled)).Silos.Select(silo => silo.Name).Order());
    }

    [Fact]
    public async Task Silo_that_is_started_again_on_its_ports_takes_the_place_of_the_dead_one()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await SiloProcess.StartAsync(primary: null, OnRedis(redis));
        await using var second = await SiloProcess.StartAsync(primary: null, [.. OnRedis(redis), "--name", "again"]);
        second.Process.Kill();
        await second.Process.WaitForExitAsync(Cancelled);

        await using var third = await second.StartAgainAsync([.. OnRedis(redis), "--name", "again"]);

        await using var client = await HeadClusterClient.ConnectAsync(first.Gateway, Cancelled);
        await Eventually.IsTrueAsync(async () => await SilosAsync(client) == 2, "the first silo and the one that took the dead one's place");
        Assert.Single((await client.StatusAsync(Cancelled)).Silos, silo => silo.Name == "again");
    }

    [Fact]
    public async Task Cluster_outlives_a_restart_of_Redis_and_takes_new_silos_after_it()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await SiloProcess.StartAsync(primary: null, OnRedis(redis));
        await using var client = await HeadClusterClient.ConnectAsync(first.Gateway, Cancelled);

        await redis.RestartAsync();
        await client.AttendAsync(Inputs.Model, 0, Inputs.Matrix(rows: 3), Cancelled);
        await using var second = await SiloProcess.StartAsync(primary: null, OnRedis(redis));

        await Eventually.IsTrueAsync(async () => await SilosAsync(client) == 2, "the new silo");
    }

    [Fact]
    public async Task Silo_with_an_IPv6_address_is_reached_at_it()
    {
        Assert.SkipUnless(HasIPv6Loopback(), "this machine has no IPv6 loopback address");
        await using var redis = await RedisServer.StartAsync();
        await using var silo = await SiloProcess.StartAsync(
            primary: null, "--clustering", "Redis", "--connection-string", redis.Address, "--advertised-address", "::1");

        var status = await CommandResult.SucceedAsync("status", "--cluster", redis.Uri, "--json");

        Assert.Equal(1, status.Json.GetProperty("silos").GetArrayLength());
    }

    private static bool HasIPv6Loopback()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, port: 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string[] OnRedis(RedisServer redis) =>
        ["--clustering", "Redis", "--connection-string", redis.Address, "--advertised-address", "127.0.0.1"];

    private static async Task<int> SilosAsync(HeadClusterClient client) =>
        (await Eventually.SucceedsAsync(() => client.StatusAsync(Cancelled))).Silos.Length;
}
