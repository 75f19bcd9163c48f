namespace HeadCluster.Cli.Output;

/// <summary>A plan beside what is, silo by silo.</summary>
internal static class PlanTable
{
    public static void Write(Terminal terminal, PlanPreview preview)
    {
        var (plan, present) = (preview.Plan, preview.Present);
        var table = Tables.Create("silo", ">heads now", ">heads", ">MiB", ">of MiB", ">compute ms", ">transfer ms", "");
        foreach (var silo in plan.Silos)
        {
            table.Add(
                silo.Name,
                present is null ? "" : (present.Silos.FirstOrDefault(now => now.Silo.Equals(silo.Silo))?.Heads ?? 0).Text(),
                silo.Heads.Text(),
                Mebibytes(silo.Bytes),
                Mebibytes(silo.MemoryBytes),
                silo.Compute.Milliseconds(),
                silo.Transfer.Milliseconds(),
                silo.Silo.Equals(plan.Coordinator) ? "coordinates" : "");
        }

        var rows = plan.Shape.Phase == RequestPhase.Decode ? $"one row after {plan.Shape.Rows.Text()}" : $"{plan.Shape.Rows.Text()} rows";
        terminal.WriteLine($"  {plan.Model}, {plan.Strategy}, for requests of {rows}: {plan.Reason}");
        terminal.Write(table);
        terminal.WriteLine(present is null
            ? $"  expected {plan.Predicted.Milliseconds()} ms a request; not every head is active now"
            : $"  expected {plan.Predicted.Milliseconds()} ms a request, {present.Predicted.Milliseconds()} ms as it is now");
        terminal.WriteLine(preview.Moves == 0 ? "  nothing to move" : $"  {preview.Moves.Text()} to move, {Mebibytes(preview.MoveBytes)} MiB of weights");
    }

    private static string Mebibytes(long bytes) => (bytes / (double)(1 << 20)).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture);
}
