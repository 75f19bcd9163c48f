using HeadCluster.Tests;
using Npgsql;

namespace HeadCluster.System.Tests;

/// <summary>A PostgreSQL of its own with Orleans' tables, on a free port; tests are skipped where there is none.</summary>
internal sealed class PostgreSqlServer : IAsyncDisposable
{
    // Debian keeps it off the path, one directory a version.
    private const string DebianRoot = "/usr/lib/postgresql";

    private readonly string _control;
    private readonly string _data;
    private readonly int _port = SiloProcess.FreePorts(1)[0];

    private PostgreSqlServer(string control, string data)
    {
        _control = control;
        _data = data;
    }

    public string ConnectionString => $"Host=127.0.0.1;Port={_port};Database=postgres;Username=postgres";

    public string Uri => $"postgresql://postgres@127.0.0.1:{_port}/postgres";

    public static async Task<PostgreSqlServer> StartAsync()
    {
        string[] versions = Directory.Exists(DebianRoot) ? [.. Directory.GetDirectories(DebianRoot).Select(version => Path.Combine(version, "bin"))] : [];
        var server = new PostgreSqlServer(Tool.Require("pg_ctl", versions), (await RunAsync("mktemp", "-d")).Trim());
        await RunAsync(server._control, "initdb", "-D", server._data, "-o", "--username=postgres --auth=trust --no-sync");
        await RunAsync(
            server._control, "start", "-w", "-D", server._data, "-l", Path.Combine(server._data, "log"),
            "-o", $"-p {server._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={server._data} -c fsync=off");
        return server;
    }

    /// <summary>Creates Orleans' tables as deploy/postgresql says to.</summary>
    public async Task CreateTablesAsync()
    {
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await using var command = database.CreateCommand(File.ReadAllText(Repository.Find("deploy", "postgresql", "orleans.sql")));
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await RunAsync(_control, "stop", "-m", "immediate", "-D", _data);
        await RunAsync("rm", "-rf", _data);
    }

    // It refuses to run as root.
    private static Task<string> RunAsync(string program, params string[] args) => Environment.IsPrivilegedProcess
        ? Tool.SucceedAsync(Tool.Require("runuser"), ["-u", "postgres", "--", program, .. args])
        : Tool.SucceedAsync(Tool.Require(program), args);
}
