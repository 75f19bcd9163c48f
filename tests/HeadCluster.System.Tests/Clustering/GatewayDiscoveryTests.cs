using HeadCluster.Client;

namespace HeadCluster.System.Tests.Clustering;

public sealed class GatewayDiscoveryTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Client_finds_the_gateways_and_goes_on_when_one_after_the_other_is_replaced()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await StartAsync(redis);
        await using var client = await HeadClusterClient.ConnectAsync(
            options =>
            {
                (options.Discovery, options.ConnectionString) = (GatewayDiscovery.Redis, redis.Address);
                options.ConnectTimeout = TimeSpan.FromMinutes(1);
            },
            Cancelled);
        var before = await client.AttendAsync(Inputs.Model, 0, Inputs.Matrix(rows: 3), Cancelled);

        // The second is one that the client was not told of when it connected.
        await using var second = await StartAsync(redis);
        await first.StopAsync();
        var after = await Eventually.SucceedsAsync(() => client.AttendAsync(Inputs.Model, 0, Inputs.Matrix(rows: 3), Cancelled));

        Assert.Equal(before.Output.Span, after.Output.Span);
    }

    [Fact]
    public async Task Redis_that_does_not_answer_is_told_in_one_line()
    {
        var port = SiloProcess.FreePorts(1)[0];

        var result = await CommandResult.RunAsync("status", "--cluster", $"redis://127.0.0.1:{port}");

        result.AssertRefused("no silo of cluster 'headcluster' answered that Redis lists within 5 s");
    }

    [Theory]
    [InlineData("http://localhost:30000", "'http://localhost:30000' is not the address of a cluster")]
    [InlineData("rediss://me:secret@localhost", "'rediss://…@localhost' is not the address of a cluster")]
    [InlineData("redis://", "'redis://' is not the address of a cluster")]
    [InlineData("redis://localhost/1", "'redis://localhost/1' has more than --cluster takes")]
    [InlineData("redis://me:se%2Ccret@localhost", "the user or the password of Redis has a comma")]
    [InlineData("postgresql://me:secret@localhost/d?sslmode=require", "'postgresql://…@localhost/d?sslmode=require' has more than --cluster takes")]
    public async Task Address_that_is_none_of_a_cluster_is_refused(string address, string because)
    {
        var result = await CommandResult.RunAsync("status", "--cluster", address);

        result.AssertRefused(because);
    }

    [Theory]
    [InlineData(GatewayDiscovery.Redis, "", "ConnectionString is empty")]
    [InlineData(GatewayDiscovery.AdoNet, "nonsense", "ConnectionString cannot be read")]
    [InlineData(GatewayDiscovery.AdoNet, "Database=d", "ConnectionString names no host")]
    [InlineData(GatewayDiscovery.Redis, "password=secret", "ConnectionString names no host")]
    public async Task Connection_string_that_is_none_is_refused(GatewayDiscovery discovery, string connectionString, string because)
    {
        var error = await Assert.ThrowsAsync<HeadClusterException>(() => HeadClusterClient.ConnectAsync(
            options => (options.Discovery, options.ConnectionString) = (discovery, connectionString), Cancelled));

        Assert.Equal(HeadClusterErrorKind.InvalidInput, error.Kind);
        Assert.Contains(because, error.Message, StringComparison.Ordinal);
    }

    private static Task<SiloProcess> StartAsync(RedisServer redis) => SiloProcess.StartAsync(
        primary: null, "--clustering", "Redis", "--connection-string", redis.Address, "--advertised-address", "127.0.0.1");
}
