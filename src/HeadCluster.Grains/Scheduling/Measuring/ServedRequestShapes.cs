using System.Collections.Concurrent;

namespace HeadCluster.Scheduling;

/// <summary>The requests that the coordinators of this silo served lately, by model: what plans are made for.</summary>
internal sealed class ServedRequestShapes
{
    // Half of what was served counts less than what was served in the last ten seconds.
    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Served> _served = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    public ServedRequestShapes(TimeProvider time) => _time = time;

    /// <summary>A layer of the model has served a request: of whole sequences by the longest of them.</summary>
    /// <remarks>Rows weigh by their number: one request of a thousand rows is more work than many of ten.</remarks>
    public void Add(string model, RequestShape request)
    {
        var served = _served.GetOrAdd(model, _ => new Served(new DecayingSums(_time, HalfLife), new DecayingSums(_time, HalfLife)));
        if (request.Phase == RequestPhase.Decode)
        {
            served.Decode.Add(1, request.Rows);
        }
        else
        {
            served.Prefill.Add((double)request.Rows * request.Rows, request.Rows);
        }
    }

    public ServedRows Of(string model)
    {
        if (!_served.TryGetValue(model, out var served))
        {
            return default;
        }

        var (squares, rows) = served.Prefill.Read();
        var (steps, positions) = served.Decode.Read();
        return new ServedRows(squares, rows, steps, positions);
    }

    private readonly record struct Served(DecayingSums Prefill, DecayingSums Decode);
}

/// <summary>Sums over requests, older ones counting less.</summary>
/// <param name="Squares">Sum of the rows of prompts squared.</param>
/// <param name="Rows">Sum of the rows of prompts.</param>
/// <param name="Steps">Steps of generation.</param>
/// <param name="Positions">Sum of the positions that they attended to.</param>
[GenerateSerializer, Immutable, Alias("hc.ServedRows")]
internal readonly record struct ServedRows(
    [property: Id(0)] double Squares, [property: Id(1)] double Rows, [property: Id(2)] double Steps, [property: Id(3)] double Positions)
{
    /// <summary>
    /// A step takes about as long as this many rows of a prompt: it reads all weights for one row, and a core reads a weight in the time of some
    /// ten multiply-adds.
    /// </summary>
    private const int RowsOfStep = 10;

    /// <summary>How many times as long the other must take that is not planned for: heads would go to and fro where both take about as long.</summary>
    private const int Outweighs = 2;

    /// <summary>What took most of the time, as it was on average over its rows or steps; null if nothing was served.</summary>
    /// <param name="planned">What heads are placed for now; null if for nothing.</param>
    public RequestShape? Typical(RequestPhase? planned = null)
    {
        var factor = planned switch
        {
            RequestPhase.Prefill => 1.0 / Outweighs,
            RequestPhase.Decode => Outweighs,
            _ => 1,
        };
        return Steps * RowsOfStep * factor > Rows ? new RequestShape(Rounded(Positions / Steps), RequestPhase.Decode)
            : Rows > 0 ? new RequestShape(Rounded(Squares / Rows))
            : null;
    }

    public static ServedRows operator +(ServedRows left, ServedRows right) =>
        new(left.Squares + right.Squares, left.Rows + right.Rows, left.Steps + right.Steps, left.Positions + right.Positions);

    private static int Rounded(double rows) => (int)Math.Max(1, Math.Round(rows));
}
