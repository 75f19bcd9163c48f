using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests;

/// <summary>
/// Silo processes that deploy/local/cluster.sh starts and stops, on free ports; killed when disposed. Heads stay where they are put.
/// </summary>
internal sealed partial class LocalCluster : IAsyncDisposable
{
    private readonly TemporaryDirectory _state = new();

    private LocalCluster()
    {
    }

    /// <summary>The silos as they were when the cluster was up.</summary>
    public LocalSilo[] Silos { get; private set; } = [];

    public static async Task<LocalCluster> StartAsync(int count, params string[] options)
    {
        var cluster = new LocalCluster();
        try
        {
            var ports = FreePortsInARow(3 * count);
            var result = await cluster.RunAsync(
            [
                "up", $"{count}", "--silo-port", $"{ports}", "--gateway-port", $"{ports + count}", "--health-port", $"{ports + (2 * count)}", .. options,
            ]);
            Assert.True(result.ExitCode == 0, result.Error + result.Output);
            cluster.Silos = Parse(result.Output);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the script with a directory of its own and the silo that was built beside these tests.</summary>
    public Task<CommandResult> RunAsync(params string[] args)
    {
        var environment = new Dictionary<string, string>(SiloProcess.Quick)
        {
            ["HEADCLUSTER_STATE"] = _state.File("cluster"),
            ["HEADCLUSTER_SILO"] = Path.Combine(AppContext.BaseDirectory, Programs.Silo),
            ["HeadCluster__Scheduling__Automatic"] = "false",
            ["PATH"] = Path.GetDirectoryName(Programs.DotNet) + ":" + Environment.GetEnvironmentVariable("PATH"),
        };
        return Tool.RunAsync(Tool.Require("bash"), environment, [Repository.Find("deploy", "local", "cluster.sh"), .. args]);
    }

    /// <summary>The silos as they are.</summary>
    public async Task<LocalSilo[]> StatusAsync() => Parse((await RunAsync("status")).Output);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var silo in await StatusAsync())
        {
            if (silo.State != "ended")
            {
                silo.Kill();
            }
        }

        await RunAsync("down");
        _state.Dispose();
    }

    private static LocalSilo[] Parse(string output) => [.. Line().Matches(output).Select(line => new LocalSilo(
        line.Groups["name"].Value,
        Number(line.Groups["process"]),
        Number(line.Groups["silo"]),
        Number(line.Groups["gateway"]),
        Number(line.Groups["health"]),
        line.Groups["state"].Value))];

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    // Below those that the system gives to anybody who connects.
    private static int FreePortsInARow(int count)
    {
        while (true)
        {
            var first = Random.Shared.Next(15_000, 31_000);
            var listeners = new List<TcpListener>();
            try
            {
                for (var port = first; port < first + count; port++)
                {
                    var listener = new TcpListener(IPAddress.Loopback, port);
                    listener.Start();
                    listeners.Add(listener);
                }

                return first;
            }
            catch (SocketException)
            {
            }
            finally
            {
                listeners.ForEach(listener => listener.Dispose());
            }
        }
    }

    [GeneratedRegex(
        @"^(?<name>\S+)  process (?<process>\d+)  silo port (?<silo>\d+)  gateway port (?<gateway>\d+)  health port (?<health>\d+)  (?<state>.+)$",
        RegexOptions.Multiline)]
    private static partial Regex Line();
}

/// <summary>One line of the script's status.</summary>
internal sealed record LocalSilo(string Name, int ProcessId, int SiloPort, int GatewayPort, int HealthPort, string State)
{
    public string Gateway => $"127.0.0.1:{GatewayPort}";

    /// <summary>Ends the process as a crash would.</summary>
    public void Kill()
    {
        using var process = Process.GetProcessById(ProcessId);
        process.Kill();
    }

    /// <summary>Sends a signal, such as <c>STOP</c>.</summary>
    public async Task SignalAsync(string signal)
    {
        using var process = Process.GetProcessById(ProcessId);
        await Programs.SignalAsync(process, signal);
    }
}
