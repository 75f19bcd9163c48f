using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using HeadCluster.Hosting;
using HeadCluster.Scheduling;
using HeadCluster.Silo;

namespace HeadCluster.Cli.Bench;

/// <summary>A silo in a process of its own, which is asked to measure; killed when disposed.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    // Silos that share a core start one after the other; this is a measure of hanging, not of speed.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly Task<string> _error;

    private WorkerProcess(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Its id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts this program again as a silo, and waits until it is ready.</summary>
    /// <exception cref="PortTakenFailure">Another program took one of its ports first.</exception>
    /// <exception cref="BenchFailure">It ended, or was not ready in time.</exception>
    public static async Task<WorkerProcess> StartAsync(WorkerSettings settings, Pinning pinning, CancellationToken cancellationToken)
    {
        var command = pinning.Pin(settings.Index, settings.Threads, [.. ThisProgram(), "bench", "silo"]);
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in settings.Environment())
        {
            start.Environment[key] = value;
        }

        var worker = new WorkerProcess(Process.Start(start)!);
        using var timeout = new CancellationTokenSource(StartTimeout, TimeProvider.System);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await worker.ReadAsync(end.Token);
            return worker;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await worker.DisposeAsync();
            throw new BenchFailure($"silo {settings.Index} of the benchmark was not ready within {StartTimeout.TotalSeconds:0} s: {await worker.SaidAsync()}");
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="BenchFailure">It could not be done.</exception>
    public async Task<WorkerAnswer> AskAsync(WorkerRequest request, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(request, WorkerJson.Default.WorkerRequest).AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        return await ReadAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _error;
        _process.Dispose();
    }

    private async Task<WorkerAnswer> ReadAsync(CancellationToken cancellationToken)
    {
        if (await _process.StandardOutput.ReadLineAsync(cancellationToken) is not { } line)
        {
            throw new BenchFailure($"a silo of the benchmark ended: {await SaidAsync()}");
        }

        var answer = JsonSerializer.Deserialize(line, WorkerJson.Default.WorkerAnswer)!;
        return answer.Error is null ? answer : throw (answer.IsPortTaken ? new PortTakenFailure(answer.Error) : new BenchFailure(answer.Error));
    }

    // Once it has ended.
    private async Task<string> SaidAsync() =>
        (await _error).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "it did not say why";

    // This program, by the runtime that runs it, with the settings that a silo has of the runtime: they lie beside the silo's library.
    private static string[] ThisProgram() =>
    [
        Path.GetFullPath("../../../dotnet", RuntimeEnvironment.GetRuntimeDirectory()),
        "exec",
        "--runtimeconfig",
        Path.ChangeExtension(typeof(SiloHostOptions).Assembly.Location, "runtimeconfig.json"),
        typeof(WorkerProcess).Assembly.Location,
    ];
}

/// <summary>What is different from silo to silo.</summary>
/// <param name="Index">From 0, for its cores.</param>
/// <param name="Threads">Compute threads.</param>
/// <param name="ClusterId">Name of its cluster.</param>
/// <param name="SiloPort">Port for other silos.</param>
/// <param name="GatewayPort">Port for clients, of which there are none.</param>
/// <param name="PrimaryPort">The first silo's port.</param>
internal sealed record WorkerSettings(int Index, int Threads, string ClusterId, int SiloPort, int GatewayPort, int PrimaryPort)
{
    /// <summary>The settings as environment variables.</summary>
    public IEnumerable<KeyValuePair<string, string>> Environment() =>
    [
        Silo(nameof(SiloHostOptions.ClusterId), ClusterId),
        Silo(nameof(SiloHostOptions.SiloPort), Text(SiloPort)),
        Silo(nameof(SiloHostOptions.GatewayPort), Text(GatewayPort)),
        Silo(nameof(SiloHostOptions.PrimaryPort), Text(PrimaryPort)),
        Silo(nameof(SiloHostOptions.Name), $"silo-{Text(Index)}"),
        Variable(HeadClusterOptions.Section, nameof(HeadClusterOptions.ComputeThreads), Text(Threads)),
        Variable(HeadClusterOptions.Section, $"{nameof(HeadClusterOptions.Scheduling)}:{nameof(SchedulingOptions.Automatic)}", "false"),
    ];

    private static KeyValuePair<string, string> Silo(string key, string value) => Variable(SiloHostOptions.Section, key, value);

    private static KeyValuePair<string, string> Variable(string section, string key, string value) =>
        KeyValuePair.Create($"{section}:{key}".Replace(":", "__", StringComparison.Ordinal), value);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
