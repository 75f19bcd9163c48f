using System.CommandLine;
using System.Text.Json;
using HeadCluster.Cli.Output;
using HeadCluster.Silo;
using HeadCluster.Silo.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HeadCluster.Cli.Bench;

/// <summary>
/// <c>headcluster bench silo</c>, which <c>bench cluster</c> starts: a silo that also measures from within, since a client's
/// connection is not what is to be measured. Its settings are environment variables, as any silo's may be. It reads one request
/// a line and answers each with one line; the end of its input ends it.
/// </summary>
internal sealed class BenchSiloCommand
{
    private readonly Terminal _terminal;

    public BenchSiloCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("silo", "A silo of bench cluster.") { Hidden = true };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var requests = RequestLines.Read(Console.OpenStandardInput());
        var builder = SiloHost.CreateBuilder();
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();

        // Neither stopped nor disposed: the silos of a cluster that is of no more use end together, abruptly and at once.
        var silo = builder.Build();
        silo.CheckSettings();
        try
        {
            await SiloPorts.CheckAsync(silo.Services.GetRequiredService<SiloHostOptions>(), TimeProvider.System, cancellationToken);
            await silo.StartAsync(CancellationToken.None);
        }
        catch (Exception exception) when (FreePorts.IsTaken(exception))
        {
            Answer(WorkerAnswer.PortTaken(Complaint.About(exception)!));
            return ExitCode.Refused;
        }

        Answer(WorkerAnswer.Ready);

        var worker = new SiloWorker(silo.Services);
        await foreach (var line in requests.ReadAllAsync(cancellationToken))
        {
            Answer(await worker.ServeAsync(JsonSerializer.Deserialize(line, WorkerJson.Default.WorkerRequest)!, cancellationToken));
        }

        return ExitCode.Success;
    }

    private void Answer(WorkerAnswer answer)
    {
        _terminal.WriteJson(answer, WorkerJson.Default.WorkerAnswer);
        _terminal.Output.Flush();
    }
}
