using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HeadCluster.Kernels.Tests.Simd;

/// <summary>The sets of instructions that decide what a logical vector is made of.</summary>
internal static class InstructionSets
{
    /// <summary>Variables of the runtime that, set to 0, take instructions away, and which those are.</summary>
    public static IReadOnlyDictionary<string, string[]> TakenBy { get; } = new Dictionary<string, string[]>
    {
        ["DOTNET_EnableAVX512"] = ["Vector512", "Avx512F"],
        ["DOTNET_EnableAVX2"] = ["Vector512", "Avx512F", "Vector256", "Avx2"],
        ["DOTNET_EnableHWIntrinsic"] = ["Vector512", "Avx512F", "Vector256", "Avx2", "Vector128"],
    };

    /// <summary>Those that this process may use.</summary>
    public static IEnumerable<string> Here => All.Where(set => set.Usable).Select(set => set.Name);

    private static (string Name, bool Usable)[] All =>
    [
        ("Vector512", Vector512.IsHardwareAccelerated),
        ("Avx512F", Avx512F.IsSupported),
        ("Vector256", Vector256.IsHardwareAccelerated),
        ("Avx2", Avx2.IsSupported),
        ("Vector128", Vector128.IsHardwareAccelerated),
    ];
}
