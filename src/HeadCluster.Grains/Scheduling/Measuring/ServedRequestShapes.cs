using System.Collections.Concurrent;

namespace HeadCluster.Scheduling;

/// <summary>The requests that the coordinators of this silo served lately, by model: what plans are made for.</summary>
internal sealed class ServedRequestShapes
{
    // Half of what was served counts less than what was served in the last ten seconds.
    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, DecayingSums> _served = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    public ServedRequestShapes(TimeProvider time) => _time = time;

    /// <summary>A layer of the model has served a request whose longest sequence has this many rows.</summary>
    /// <remarks>Rows weigh by their number: one request of a thousand rows is more work than many of ten.</remarks>
    public void Add(string model, int rows) =>
        _served.GetOrAdd(model, _ => new DecayingSums(_time, HalfLife)).Add((double)rows * rows, rows);

    public ServedRows Of(string model)
    {
        if (!_served.TryGetValue(model, out var sums))
        {
            return default;
        }

        var (squares, rows) = sums.Read();
        return new ServedRows(squares, rows);
    }
}

/// <summary>Sums over requests, older ones counting less.</summary>
/// <param name="Squares">Sum of the rows squared.</param>
/// <param name="Rows">Sum of the rows.</param>
[GenerateSerializer, Immutable, Alias("hc.ServedRows")]
internal readonly record struct ServedRows([property: Id(0)] double Squares, [property: Id(1)] double Rows)
{
    /// <summary>Rows of a request, on average over the rows; 0 if none was served.</summary>
    public int Typical => Rows > 0 ? (int)Math.Max(1, Math.Round(Squares / Rows)) : 0;

    public static ServedRows operator +(ServedRows left, ServedRows right) => new(left.Squares + right.Squares, left.Rows + right.Rows);
}
