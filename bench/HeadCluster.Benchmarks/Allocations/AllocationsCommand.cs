using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace HeadCluster.Benchmarks.Allocations;

/// <summary><c>allocations</c>: BenchmarkDotNet's view of the kernels, for its memory column.</summary>
internal static class AllocationsCommand
{
    public static Command Create()
    {
        var command = new Command("allocations", "Shows what each kernel allocates per call.");

        // In this process: a program that BenchmarkDotNet generates would be built by this repository's rules.
        var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
        command.SetAction(_ => BenchmarkRunner.Run<KernelAllocations>(config));
        return command;
    }
}
