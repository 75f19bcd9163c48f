using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace HeadCluster.System.Tests;

/// <summary>A silo in a process of its own, on free ports; killed when disposed.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    /// <summary>The variable that says whether a silo rehearses; one whose environment has it is started as it ships.</summary>
    public const string Rehearse = "HeadCluster__Silo__Rehearse";

    /// <summary>An environment in which a silo rehearses, as it does unless a test starts it.</summary>
    public static readonly Dictionary<string, string> Rehearsed = new() { [Rehearse] = "true" };

    /// <summary>An environment in which a silo compiles as it ships and does not rehearse, for tests that watch memory.</summary>
    public static readonly Dictionary<string, string> Unrehearsed = new() { [Rehearse] = "false" };

    /// <summary>
    /// An environment in which a silo starts soon: it does not rehearse, and the runtime compiles methods without optimising them at
    /// their first call. Tests start hundreds, and only some watch how long requests take or what memory they leave.
    /// </summary>
    public static readonly Dictionary<string, string> Quick = new(Unrehearsed) { ["DOTNET_TC_QuickJit"] = "1" };

    // A port that was free may be taken by another test before the silo listens on it; then others are tried.
    private const int Attempts = 3;

    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private readonly Task<string> _error;

    private SiloProcess(Process process, int siloPort, int gatewayPort)
    {
        Process = process;
        SiloPort = siloPort;
        GatewayPort = gatewayPort;
        _reading = ReadAsync();
        _error = process.StandardError.ReadToEndAsync();
    }

    public Process Process { get; }

    public int SiloPort { get; }

    public int GatewayPort { get; }

    public string Gateway => $"localhost:{GatewayPort}";

    /// <summary>What it has printed so far.</summary>
    public string[] Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Starts a silo whose heads stay where they are put, and waits for the line that says it is ready.</summary>
    /// <param name="primary">The silo whose cluster it joins; null to form one.</param>
    /// <param name="args">More arguments.</param>
    public static Task<SiloProcess> StartAsync(SiloProcess? primary = null, params string[] args) => StartAsync(primary, [], args);

    /// <summary>As <see cref="StartAsync(SiloProcess?, string[])"/>, with more environment variables than the tests have.</summary>
    public static Task<SiloProcess> StartAsync(SiloProcess? primary, Dictionary<string, string> environment, params string[] args) =>
        StartAsync(primary, environment, [], ["--no-rebalance", .. args]);

    /// <summary>Starts a silo whose heads move when that is worth it, unless it is told otherwise, and waits for the line that says it is ready.</summary>
    /// <param name="primary">The silo whose cluster it joins; null to form one.</param>
    /// <param name="environment">More environment variables than the tests have.</param>
    /// <param name="args">More arguments.</param>
    public static Task<SiloProcess> StartSchedulingAsync(SiloProcess? primary, Dictionary<string, string> environment, params string[] args) =>
        StartAsync(primary, environment, [], args);

    /// <summary>Starts a silo at the other end of a link.</summary>
    public static Task<SiloProcess> StartAsync(NetworkLink link, params string[] args) =>
        StartAsync(primary: null, [], link.Launcher, ["--no-rebalance", .. args]);

    private static Task<SiloProcess> StartAsync(SiloProcess? primary, Dictionary<string, string> environment, string[] launcher, string[] args) =>
        OnFreePortsAsync(2, ports => StartAsync(ports[0], ports[1], primary?.SiloPort ?? ports[0], environment, args, launcher));

    /// <summary>Starts another silo where this one was, which has ended.</summary>
    public Task<SiloProcess> StartAgainAsync(params string[] args) => StartAgainAsync([], args);

    /// <summary>As <see cref="StartAgainAsync(string[])"/>, with more environment variables than the tests have.</summary>
    public Task<SiloProcess> StartAgainAsync(Dictionary<string, string> environment, params string[] args) =>
        StartAsync(SiloPort, GatewayPort, SiloPort, environment, args, launcher: []);

    /// <summary>Starts a silo, in whatever process, on ports that nobody listens on.</summary>
    public static async Task<T> OnFreePortsAsync<T>(int count, Func<int[], Task<T>> startAsync)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await startAsync(FreePorts(count));
            }
            catch (Exception exception) when (attempt < Attempts && IsTaken(exception.Message))
            {
            }
        }

        // In a silo's words, or in those of whoever listens for it.
        static bool IsTaken(string message) =>
            message.Contains("port", StringComparison.Ordinal) || message.Contains("address already in use", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Ports that nobody listens on.</summary>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.ConvertAll(listener => ((IPEndPoint)listener.LocalEndpoint).Port);
        listeners.ForEach(listener => listener.Dispose());
        return [.. ports];
    }

    /// <summary>Stops the silo as a service manager would, and waits until everything that it prints is read.</summary>
    public async Task<int> StopAsync()
    {
        using var limit = Programs.Limit();
        await Programs.SignalAsync(Process, "TERM");
        await Process.WaitForExitAsync(limit.Token);
        await _reading;
        return Process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Process.Kill();
        await Process.WaitForExitAsync();
        await _reading;
        await _error;
        Process.Dispose();
    }

    private static async Task<SiloProcess> StartAsync(
        int siloPort, int gatewayPort, int primaryPort, Dictionary<string, string> environment, string[] args, string[] launcher)
    {
        var process = Programs.Start(
            Programs.Silo,
            environment.ContainsKey(Rehearse) ? environment : new(Quick.Concat(environment)),
            ["--silo-port", $"{siloPort}", "--gateway-port", $"{gatewayPort}", "--primary-port", $"{primaryPort}", .. args],
            launcher);
        var silo = new SiloProcess(process, siloPort, gatewayPort);
        try
        {
            using var limit = Programs.Limit();
            await silo._ready.Task.WaitAsync(limit.Token);
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    private async Task ReadAsync()
    {
        while (await Process.StandardOutput.ReadLineAsync() is { } line)
        {
            lock (_lock)
            {
                _lines.Add(line);
            }

            if (line.Contains(" is ready: ", StringComparison.Ordinal))
            {
                _ready.TrySetResult();
            }
        }

        _ready.TrySetException(new InvalidOperationException($"the silo ended before it was ready: {await _error}"));
    }
}
