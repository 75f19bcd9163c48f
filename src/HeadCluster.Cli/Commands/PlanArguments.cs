using System.CommandLine;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary>What the commands that plan have in common: the model, and by what to plan.</summary>
internal sealed class PlanArguments
{
    private readonly Option<string> _model = new("--model") { Description = "The model's name.", HelpName = "name", Required = true };

    private readonly Option<string?> _strategy = new("--strategy")
    {
        Description = "Measured, Capacity, Even, Pinned or one of your own (the cluster's).",
        HelpName = "name",
    };

    private readonly Option<int> _rows = WholeNumber.Option("--rows", "rows of the requests to plan for, 1 or more");
    private readonly Option<bool> _decode = new("--decode") { Description = "Plan for steps of generation after that many rows." };

    public PlanArguments()
    {
        _rows.Description = "Rows of the requests to plan for (those served last).";
        _rows.HelpName = "count";
    }

    public void AddTo(Command command)
    {
        command.Add(_model);
        command.Add(_strategy);
        command.Add(_rows);
        command.Add(_decode);
    }

    /// <exception cref="HeadClusterException">The options contradict each other.</exception>
    public (string Model, PlanRequest Request) Read(ParseResult parsed)
    {
        var decode = parsed.GetValue(_decode);
        var rows = parsed.GetResult(_rows) is null ? default(int?) : parsed.GetValue(_rows);
        if (decode && rows is null)
        {
            throw HeadClusterException.InvalidInput("--decode plans for one row after others; say how many others, with --rows");
        }

        var shape = rows is { } count ? new RequestShape(count, decode ? RequestPhase.Decode : RequestPhase.Prefill) : null;
        return (parsed.GetRequiredValue(_model), new PlanRequest(parsed.GetValue(_strategy), shape));
    }
}
