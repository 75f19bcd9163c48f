using System.CommandLine;
using HeadCluster.Benchmarks.Allocations;
using HeadCluster.Benchmarks.Kernels;

return await new RootCommand("Measures HeadCluster, as ratios within one run.")
{
    KernelsCommand.Create(),
    AllocationsCommand.Create(),
}.Parse(args).InvokeAsync();
