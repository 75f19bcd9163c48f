using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels.Tests.Simd;

/// <summary>
/// Loops over vectors are compiled for good at their first call. The runtime's first tier keeps every vector in memory, and on a
/// machine whose cores are busy with just these loops it is left only after a minute.
/// </summary>
public sealed class OptimizedLoopTests
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<ushort, OpCode> OpCodes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => (ushort)code.Value);

    private static readonly MethodInfo[] Loops =
        [.. typeof(LinearKernel).Assembly.GetTypes().SelectMany(type => type.GetMethods(All)).Where(LoopsOverVectors)];

    [Fact]
    public void Every_loop_over_vectors_is_optimised_at_its_first_call()
    {
        Assert.NotEmpty(Loops);
        Assert.Empty(Names(Loops.Where(loop => !Is(loop, MethodImplAttributes.AggressiveOptimization) && !Is(loop, MethodImplAttributes.AggressiveInlining))));
    }

    /// <summary>
    /// The compiler inlines only so much into one method: beyond it, what a loop calls for its vectors is called in earnest, with every vector in
    /// memory. Whether a caller comes to that depends on its profile, so that it is seen in one run and not in the next.
    /// </summary>
    [Fact]
    public void No_loop_over_vectors_becomes_part_of_its_caller_because_of_a_profile()
    {
        Assert.Empty(Names(Loops.Where(loop => !Is(loop, MethodImplAttributes.NoInlining) && !Is(loop, MethodImplAttributes.AggressiveInlining))));
    }

    [Fact]
    public void A_loop_over_vectors_is_known_by_its_instructions()
    {
        Assert.True(LoopsOverVectors(typeof(SoftmaxKernel).GetMethod(nameof(SoftmaxKernel.Apply))!));
        Assert.False(LoopsOverVectors(typeof(Elementary).GetMethod(nameof(Elementary.Exp), [typeof(float)])!));
    }

    private static bool Is(MethodInfo method, MethodImplAttributes flag) => method.MethodImplementationFlags.HasFlag(flag);

    private static IEnumerable<string> Names(IEnumerable<MethodInfo> methods) => methods.Select(method => $"{method.DeclaringType!.Name}.{method.Name}");

    private static bool LoopsOverVectors(MethodInfo method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code)
        {
            return false;
        }

        var (loops, vectors) = (false, false);
        for (var at = 0; at < code.Length;)
        {
            var opCode = OpCodes[code[at] == 0xfe ? BinaryPrimitives.ReadUInt16BigEndian(code.AsSpan(at)) : code[at]];
            var operand = code.AsSpan(at + opCode.Size);
            loops |= opCode.OperandType switch
            {
                OperandType.ShortInlineBrTarget => (sbyte)operand[0] < 0,
                OperandType.InlineBrTarget => BinaryPrimitives.ReadInt32LittleEndian(operand) < 0,
                _ => false,
            };
            vectors |= opCode.OperandType == OperandType.InlineMethod && IsOfVectors(Called(method, BinaryPrimitives.ReadInt32LittleEndian(operand)));
            at += opCode.Size + OperandSize(opCode, operand);
        }

        return loops && vectors;
    }

    private static MethodBase? Called(MethodInfo method, int token) => method.Module.ResolveMethod(
        token,
        method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null,
        method.IsGenericMethod ? method.GetGenericArguments() : null);

    private static bool IsOfVectors(MethodBase? called) =>
        called?.DeclaringType is { } type
        && (type.Namespace == typeof(Vector512).Namespace || type == typeof(Lanes) || type == typeof(Quad) || type == typeof(PanelKernel));

    private static int OperandSize(OpCode opCode, ReadOnlySpan<byte> operand) => opCode.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BinaryPrimitives.ReadInt32LittleEndian(operand)),
        _ => 4,
    };
}
