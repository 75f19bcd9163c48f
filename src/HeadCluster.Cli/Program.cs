using System.CommandLine;
using HeadCluster.Cli.Bench;
using HeadCluster.Cli.Commands;
using HeadCluster.Cli.Output;
using HeadCluster.Cli.Simulate;
using HeadCluster.Silo.CommandLine;

var terminal = Terminal.TakeOver();
var root = new RootCommand("Schedules attention heads of transformers on Orleans silos.")
{
    new DemoCommand(terminal).Create(),
    new AttendCommand(terminal).Create(),
    new GenerateCommand(terminal).Create(),
    new StatusCommand(terminal).Create(),
    new HeadsCommand(terminal).Create(),
    new PlanCommand(terminal).Create(),
    new MoveCommand(terminal).Create(),
    new DrainCommand(terminal).Create(),
    new RebalanceCommand(terminal).Create(),
    new TopCommand(terminal).Create(),
    new TraceCommand(terminal).Create(),
    BenchCommand.Create(terminal),
    new SimulateCommand(terminal).Create(),
};
return await CommandRunner.RunAsync(root, args, terminal.Output, cancelWithin: TimeSpan.FromSeconds(5));
