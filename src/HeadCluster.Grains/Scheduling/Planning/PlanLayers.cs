namespace HeadCluster.Scheduling;

/// <summary>
/// The heads of a problem by layer, and within a layer by what they cost: those of a class are alike in all, so that it does
/// not matter which of them is where. In most models all heads of a layer are one class.
/// </summary>
internal sealed class PlanLayers
{
    // A copy: the searches read little else, and an array behind an interface is slow to read.
    private readonly HeadLoad[] _loads;
    private readonly int[] _order;

    // Of each head the class, counted over all layers.
    private readonly int[] _classes;

    public PlanLayers(IReadOnlyList<HeadLoad> heads)
    {
        _loads = [.. heads];
        _classes = new int[_loads.Length];
        var @class = -1;
        Ranges = [.. RangesOf(heads)];
        _order = new int[heads.Count];
        Classes = new Range[Ranges.Length][];
        for (var layer = 0; layer < Ranges.Length; layer++)
        {
            var (start, end) = (Ranges[layer].Start.Value, Ranges[layer].End.Value);
            for (var head = start; head < end; head++)
            {
                _order[head] = head;
            }

            // The longest first, as LPT wants them.
            _order.AsSpan(start, end - start).Sort((left, right) => Compare(_loads[right], _loads[left]) is var order and not 0 ? order : left - right);
            var classes = new List<Range>();
            for (var first = start; first < end;)
            {
                @class++;
                var next = first;
                while (next < end && Compare(_loads[_order[first]], _loads[_order[next]]) == 0)
                {
                    _classes[_order[next++]] = @class;
                }

                classes.Add(first..next);
                first = next;
            }

            Classes[layer] = [.. classes];
        }
    }

    /// <summary>The heads of each layer, as positions in the problem's list.</summary>
    public Range[] Ranges { get; }

    /// <summary>The classes of each layer, the longest heads first; <see cref="Heads"/> has their heads.</summary>
    public Range[][] Classes { get; }

    /// <summary>What a head costs.</summary>
    public ref readonly HeadLoad Load(int head) => ref _loads[head];

    /// <summary>Whether two heads of a layer cost the same.</summary>
    public bool Alike(int left, int right) => _classes[left] == _classes[right];

    /// <summary>The heads of a class or of a layer, the longest first, as positions in the problem's list.</summary>
    public ReadOnlySpan<int> Heads(Range @class) => _order.AsSpan(@class);

    /// <summary>The heads of each layer, as positions in a list that is ordered by layer.</summary>
    public static IEnumerable<Range> RangesOf(IReadOnlyList<HeadLoad> heads)
    {
        for (var start = 0; start < heads.Count;)
        {
            var end = start + 1;
            while (end < heads.Count && heads[end].Head.Layer == heads[start].Head.Layer)
            {
                end++;
            }

            yield return start..end;
            start = end;
        }
    }

    private static int Compare(in HeadLoad left, in HeadLoad right) =>
        left.Operations.CompareTo(right.Operations) is var operations and not 0 ? operations
        : left.ReadBytes.CompareTo(right.ReadBytes) is var read and not 0 ? read
        : left.WeightBytes.CompareTo(right.WeightBytes) is var weights and not 0 ? weights
        : left.StateBytes.CompareTo(right.StateBytes) is var state and not 0 ? state
        : left.OutputBytes.CompareTo(right.OutputBytes);
}
