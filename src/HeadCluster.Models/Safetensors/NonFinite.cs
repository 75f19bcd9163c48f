using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Models;

/// <summary>Finds values of which no model gives a result.</summary>
internal static class NonFinite
{
    /// <summary>The first NaN or infinity, or null.</summary>
    public static float? First(ReadOnlySpan<float> values)
    {
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(values);
        var finite = 0;

        // A finite value minus itself is 0; an infinity or NaN gives NaN, which equals nothing.
        while (finite < vectors.Length && Vector512.EqualsAll(vectors[finite] - vectors[finite], Vector512<float>.Zero))
        {
            finite++;
        }

        foreach (var value in values[(finite * Vector512<float>.Count)..])
        {
            if (!float.IsFinite(value))
            {
                return value;
            }
        }

        return null;
    }
}
