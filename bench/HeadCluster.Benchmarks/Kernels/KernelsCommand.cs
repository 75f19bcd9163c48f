using System.CommandLine;
using HeadCluster.Benchmarks.Measuring;
using HeadCluster.Kernels;

namespace HeadCluster.Benchmarks.Kernels;

/// <summary><c>kernels</c>: the kernels against ONNX Runtime, their own variants and what the machine can do at most.</summary>
internal static class KernelsCommand
{
    private static readonly Dictionary<string, Action<KernelReporter, Effort>> Sections = new()
    {
        ["layer"] = LayerBenchmark.AgainstOnnxRuntime,
        ["causal"] = LayerBenchmark.CausalAgainstUnmasked,
        ["heads"] = LayerBenchmark.HeadsAgainstTwelve,
        ["decode"] = (reporter, effort) =>
        {
            DecodeBenchmark.Products(reporter, effort, WeightFormat.Float32);
            DecodeBenchmark.Products(reporter, effort, WeightFormat.BFloat16);
            DecodeBenchmark.Products(reporter, effort, WeightFormat.Float16);
            DecodeBenchmark.Attention(reporter, effort);
        },
    };

    public static Command Create()
    {
        var json = new Option<FileInfo?>("--json") { Description = "Also write the figures to this file." };
        var quick = new Option<bool>("--quick") { Description = "Fewer and shorter samples: under a minute." };
        var only = new Option<string[]>("--only") { Description = "Only these sections.", AllowMultipleArgumentsPerToken = true };
        only.AcceptOnlyFromAmong([.. Sections.Keys]);
        var command = new Command("kernels", "Compares the kernels with ONNX Runtime and with what the machine can do at most.")
        {
            json,
            quick,
            only,
        };
        command.SetAction(parsed =>
        {
            var effort = parsed.GetValue(quick) ? Effort.Quick : Effort.Full;
            var sections = parsed.GetValue(only) is { Length: > 0 } chosen ? chosen : [.. Sections.Keys];
            var reporter = new KernelReporter(Console.Out);
            foreach (var section in sections)
            {
                Sections[section](reporter, effort);
            }

            if (parsed.GetValue(json) is { } file)
            {
                reporter.WriteJson(file);
            }
        });
        return command;
    }
}
