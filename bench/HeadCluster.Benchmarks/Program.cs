using System.CommandLine;
using HeadCluster.Benchmarks.Allocations;
using HeadCluster.Benchmarks.Kernels;
using HeadCluster.Benchmarks.Silos;

return await new RootCommand("Measures HeadCluster, as ratios within one run.")
{
    KernelsCommand.Create(),
    AllocationsCommand.Create(),
    SilosCommand.Create(),
}.Parse(args).InvokeAsync();
