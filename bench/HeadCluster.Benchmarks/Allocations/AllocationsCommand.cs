using System.CommandLine;
using BenchmarkDotNet.Running;

namespace HeadCluster.Benchmarks.Allocations;

/// <summary><c>allocations</c>: BenchmarkDotNet's view of the kernels, for its memory column.</summary>
internal static class AllocationsCommand
{
    public static Command Create()
    {
        var command = new Command("allocations", "Shows what each kernel allocates per call.");
        command.SetAction(_ => BenchmarkRunner.Run<KernelAllocations>());
        return command;
    }
}
