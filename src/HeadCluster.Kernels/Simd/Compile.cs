using System.Runtime.CompilerServices;

namespace HeadCluster.Kernels;

/// <summary>How the compiler treats a method.</summary>
internal static class Compile
{
    /// <summary>
    /// For loops over vectors: for good at the first call, since a tier that keeps vectors in memory would be left only after it had done most of
    /// the work; and never into a caller, since the compiler inlines only so much into one method, and what such a loop is made of would be
    /// called for each vector once that is used up. With some profiles of its callers attention took twice as long.
    /// </summary>
    public const MethodImplOptions Alone = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;
}
