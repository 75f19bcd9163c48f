using System.CommandLine;
using System.Globalization;
using HeadCluster.Cli.Commands;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Simulate;

/// <summary><c>headcluster simulate</c>: how planner and moves fare on a large fleet that slows down, dies and grows, without one.</summary>
internal sealed class SimulateCommand
{
    private const int MostSilos = 10_000;
    private const int MostHeads = 1_000_000;
    private const int MostMinutes = 24 * 60;

    private readonly Terminal _terminal;
    private readonly Option<int> _silos = Number("--silos", $"1 to {MostSilos}", "Silos at first (1000).", 1000);
    private readonly Option<int> _heads = Number("--heads", $"1 to {MostHeads}", "Heads of the model (100000).", 100_000);
    private readonly Option<int> _seed = Number("--seed", "any", "Of all that is left to chance (1).", 1);
    private readonly Option<int> _minutes = Number("--minutes", $"1 to {MostMinutes}", "Simulated time (10).", 10);
    private readonly Option<bool> _json = ClusterArguments.CreateJsonOption();

    public SimulateCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("simulate", "Plans and moves heads of an imagined fleet of silos that slow down, die and join.")
        {
            _silos,
            _heads,
            _seed,
            _minutes,
            _json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var simulation = new FleetSimulation(
            InRange(parsed.GetValue(_silos), MostSilos, _silos),
            InRange(parsed.GetValue(_heads), MostHeads, _heads),
            parsed.GetValue(_seed),
            TimeSpan.FromMinutes(InRange(parsed.GetValue(_minutes), MostMinutes, _minutes)),
            TimeProvider.System);
        var result = await Terminal.WaitAsync("Simulating", () => Task.Run(() => simulation.Run(cancellationToken), cancellationToken));
        if (parsed.GetValue(_json))
        {
            _terminal.WriteJson(result, SimulationJson.Default.SimulationResult);
        }
        else
        {
            Print(result);
        }

        return ExitCode.Success;
    }

    private void Print(SimulationResult result)
    {
        var table = Tables.Create("", ">");
        table.Add("silos slowed down, died, joined", $"{result.Slowdowns.Text()}, {result.Deaths.Text()}, {result.Joins.Text()}");
        table.Add("plans", result.Plans.Text());
        table.Add("slowest plan, s", Decimals(result.PlanSeconds));
        table.Add("makespan ÷ lower bound at the end", Decimals(result.MakespanOverLowerBound));
        table.Add("on average", Decimals(result.MeanMakespanOverLowerBound));
        table.Add("at worst", Decimals(result.WorstMakespanOverLowerBound));
        table.Add("heads moved", result.HeadsMoved.Text());
        table.Add("MiB moved", (result.BytesMoved >> 20).Text());
        table.Add("longest recovery of a silo's heads, s", Decimals(result.RecoverySeconds));
        table.Add("peak memory, MiB", (result.PeakBytes >> 20).Text());
        _terminal.Write(table);
    }

    private static string Decimals(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    private static int InRange(int value, int most, Option option) => value >= 1 && value <= most
        ? value
        : throw HeadClusterException.InvalidInput($"{option.Name} is {value}; expected 1 to {most}");

    private static Option<int> Number(string name, string expected, string description, int usual)
    {
        var option = WholeNumber.Option(name, expected);
        option.Description = description;
        option.HelpName = "number";
        option.DefaultValueFactory = _ => usual;
        return option;
    }
}
