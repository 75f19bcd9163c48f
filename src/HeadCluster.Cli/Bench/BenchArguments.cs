using System.CommandLine;
using HeadCluster.Cli.Files;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Bench;

/// <summary>What the benchmarks on silo processes have in common.</summary>
internal sealed class BenchArguments
{
    private const int MostSilos = 64;
    private const int MostThreads = 1024;

    private readonly Option<int> _silos = Number("--silos", "silos", $"a number of silos, 1 to {MostSilos}", "Silos to spread the heads over (2).", 2);
    private readonly Option<int> _threads = Number("--threads", "threads", $"a number of threads, 1 to {MostThreads}", "Compute threads, and cores, of each silo (1).", 1);
    private readonly Option<FileInfo?> _json = new("--json") { Description = "Also write the figures to this file.", HelpName = "file" };
    private readonly Option<bool> _quick = new("--quick") { Description = "Fewer and shorter samples: under a minute." };

    private readonly Option<string[]> _shapes = new("--shapes")
    {
        Description = $"Layers to measure, each as rows x width x heads ({string.Join(' ', BenchShape.Default)}).",
        HelpName = "11x48x3",
        AllowMultipleArgumentsPerToken = true,
    };

    public void AddTo(Command command)
    {
        command.Add(_silos);
        command.Add(_threads);
        command.Add(_shapes);
        command.Add(_json);
        command.Add(_quick);
    }

    /// <exception cref="HeadClusterException">A number is out of range, a shape is none, or the file cannot be written.</exception>
    public (int Silos, int Threads, BenchShape[] Shapes, BenchEffort Effort, FileInfo? File) Read(ParseResult parsed)
    {
        var silos = InRange(parsed.GetValue(_silos), 1, MostSilos, _silos);
        var threads = InRange(parsed.GetValue(_threads), 1, MostThreads, _threads);
        var shapes = parsed.GetValue(_shapes) is { Length: > 0 } given ? Array.ConvertAll(given, BenchShape.Parse) : [.. BenchShape.Default];
        var file = parsed.GetValue(_json);
        if (file is not null)
        {
            OutputFile.CheckWritable(file.FullName, _json.Name);
        }

        return (silos, threads, shapes, parsed.GetValue(_quick) ? BenchEffort.Quick : BenchEffort.Full, file);
    }

    public static int InRange(int value, int least, int most, Option option) => value >= least && value <= most
        ? value
        : throw HeadClusterException.InvalidInput($"{option.Name} is {value}; expected {least} to {most}");

    public static Option<int> Number(string name, string helpName, string expected, string description, int usual)
    {
        var option = WholeNumber.Option(name, expected);
        option.Description = description;
        option.HelpName = helpName;
        option.DefaultValueFactory = _ => usual;
        return option;
    }
}
