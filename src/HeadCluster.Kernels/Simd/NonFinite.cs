using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>Finds values that no arithmetic recovers from.</summary>
public static class NonFinite
{
    /// <summary>The position of the first NaN or infinity, or −1.</summary>
    [MethodImpl(Compile.Alone)]
    public static int IndexOf(ReadOnlySpan<float> values)
    {
        ref var first = ref MemoryMarshal.GetReference(values);
        var index = 0;
        for (; index <= values.Length - Lanes.Count; index += Lanes.Count)
        {
            // A finite value minus itself is 0; an infinity or NaN gives NaN, which equals nothing.
            var value = Vector512.LoadUnsafe(ref first, (nuint)index);
            if (!Vector512.EqualsAll(value - value, Vector512<float>.Zero))
            {
                break;
            }
        }

        for (; index < values.Length; index++)
        {
            if (!float.IsFinite(values[index]))
            {
                return index;
            }
        }

        return -1;
    }
}
