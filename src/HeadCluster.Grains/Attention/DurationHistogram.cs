using System.Numerics;

namespace HeadCluster.Grains;

/// <summary>
/// Counts durations in buckets of bounded relative width, as HdrHistogram does: sixteen buckets of equal width for each power of
/// two. A quantile is the middle of its bucket, at most 1/32 from the exact one. Its memory is bounded, and counting allocates nothing.
/// </summary>
/// <remarks>Not thread-safe: a head counts and answers in its turns.</remarks>
internal sealed class DurationHistogram
{
    /// <summary>The most by which a quantile is wrong, as a share of the exact one.</summary>
    public const double RelativeError = 1.0 / (2 * PerPower);

    // Buckets of one power of two, and its logarithm.
    private const int PerPower = 1 << PowerBits;
    private const int PowerBits = 4;

    /// <summary>What is longer counts as this: two hours, in ticks of 100 ns.</summary>
    private const long Longest = (1L << 36) - 1;

    private readonly int[] _counts = new int[IndexOf(Longest) + 1];

    /// <summary>Durations that were counted.</summary>
    public long Count { get; private set; }

    /// <summary>The longest, exactly.</summary>
    public TimeSpan Max { get; private set; }

    /// <summary>Counts a duration; a negative one as none.</summary>
    public void Add(TimeSpan duration)
    {
        Count++;
        Max = duration > Max ? duration : Max;
        ref var count = ref _counts[IndexOf(Math.Clamp(duration.Ticks, 0, Longest))];
        count = count == int.MaxValue ? count : count + 1;
    }

    /// <summary>The duration that a share of all did not exceed: the smallest of which that is true.</summary>
    /// <param name="share">Above 0 and at most 1.</param>
    /// <returns>Zero if nothing was counted.</returns>
    public TimeSpan Quantile(double share)
    {
        var rank = (long)Math.Ceiling(share * Count);
        long seen = 0;
        for (var index = 0; index < _counts.Length; index++)
        {
            seen += _counts[index];
            if (seen >= rank && seen > 0)
            {
                var middle = TimeSpan.FromTicks(MiddleOf(index));
                return middle < Max ? middle : Max;
            }
        }

        return TimeSpan.Zero;
    }

    // Below 2·PerPower a bucket is one tick wide; above, index = power · PerPower + the bits that follow the leading one.
    private static int IndexOf(long ticks)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)ticks) - PowerBits);
        return (shift << PowerBits) + (int)(ticks >> shift);
    }

    private static long MiddleOf(int index)
    {
        var shift = Math.Max(0, (index >> PowerBits) - 1);
        var first = (long)(index - (shift << PowerBits)) << shift;
        return first + ((1L << shift) / 2);
    }
}
