namespace HeadCluster.System.Tests.Clustering;

public sealed class PostgreSqlClusterTests
{
    [Fact]
    public async Task Silos_and_client_find_each_other_through_PostgreSQL()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await server.CreateTablesAsync();
        await using var first = await SiloProcess.StartAsync(primary: null, On(server, "first"));
        await using var second = await SiloProcess.StartAsync(primary: null, On(server, "second"));

        var status = await CommandResult.SucceedAsync("status", "--cluster", server.Uri, "--json");
        var generated = await CommandResult.SucceedAsync(
            "generate", "--cluster", server.Uri, "--model", Inputs.Model, "--tokens", "2,1,0,2,1,0", "--steps", "6");

        Assert.Equal(
            ["first", "second"], status.Json.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("name").GetString()).Order());
        Assert.Equal("0 0 1 1 2 2\n", generated.Output);
    }

    [Fact]
    public async Task Database_without_Orleans_tables_is_refused()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        var ports = SiloProcess.FreePorts(2);

        var result = await CommandResult.RunProgramAsync(
            Programs.Silo, [], ["--silo-port", $"{ports[0]}", "--gateway-port", $"{ports[1]}", .. On(server, "first")]);

        result.AssertRefused("run deploy/postgresql/orleans.sql in it");
    }

    private static string[] On(PostgreSqlServer server, string name) =>
    [
        "--clustering", "AdoNet", "--connection-string", server.ConnectionString, "--advertised-address", "127.0.0.1", "--name", name,
    ];
}
