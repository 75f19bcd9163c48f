using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using HeadCluster.Kernels.Tests.OneHash;
using HeadCluster.Kernels.Tests.Simd;

namespace HeadCluster.Kernels.Tests;

/// <summary>
/// This test program once more, in a process with other settings of the runtime, which reads them as it starts. Where it finds
/// <see cref="Variable"/> set, it does what the variable names instead of running tests.
/// </summary>
internal static class ChildProcess
{
    public const string ReadBehindSpan = nameof(ReadBehindSpan), WriteBehindSpan = nameof(WriteBehindSpan);
    private const string Variable = "HEADCLUSTER_TEST_CHILD", PrintBits = nameof(PrintBits);

    // The tests that compare bits share one child for each setting.
    private static readonly ConcurrentDictionary<string, Lazy<Task<Bits>>> BitsOf = new();

    /// <summary>The bits that this program computes where a variable of the environment is 0.</summary>
    public static Task<Bits> BitsWithoutAsync(string variable) => BitsOf.GetOrAdd(
        variable,
        _ => new Lazy<Task<Bits>>(async () =>
        {
            var (exitCode, output) = await RunAsync(PrintBits, variable);
            return exitCode == 0 ? Bits.Parse(output) : throw new InvalidOperationException($"exit code {exitCode} with {variable}=0");
        })).Value;

    /// <summary>Runs a child to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string work, string? variableToClear = null)
    {
        var program = Path.ChangeExtension(typeof(ChildProcess).Assembly.Location, OperatingSystem.IsWindows() ? ".exe" : null);
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[Variable] = work;
        if (variableToClear is not null)
        {
            start.Environment[variableToClear] = "0";
        }

        using var child = Process.Start(start)!;
        var error = child.StandardError.ReadToEndAsync();
        var output = await child.StandardOutput.ReadToEndAsync();
        await error;
        await child.WaitForExitAsync();
        return (child.ExitCode, output);
    }

    [ModuleInitializer]
    internal static void WorkInsteadOfTesting()
    {
        var work = Environment.GetEnvironmentVariable(Variable);
        if (work is null)
        {
            return;
        }

        using Guarded one = new(1);
        switch (work)
        {
            case PrintBits: Console.Write(Bits.Compute()); break;
            case ReadBehindSpan: Console.Write(Unsafe.Add(ref one.Span[0], 1)); break;
            case WriteBehindSpan: Unsafe.Add(ref one.Span[0], 1) = 1; break;
            default: throw new InvalidOperationException($"{Variable} is {work}");
        }

        Environment.Exit(0);
    }

    /// <summary>What a process has computed, and with what.</summary>
    /// <param name="Instructions">The sets of instructions that it may use.</param>
    /// <param name="Kernels">Hash of fixed inputs, <see cref="NumericsFingerprint"/>.</param>
    /// <param name="Layers">Hashes of <see cref="LayerWorkload"/> by their names.</param>
    /// <param name="Calls">Hashes of <see cref="KernelWorkload"/> by their names.</param>
    internal sealed record Bits(string[] Instructions, string Kernels, SortedDictionary<string, string> Layers, SortedDictionary<string, string> Calls)
    {
        private static readonly JsonSerializerOptions Lines = new() { WriteIndented = true };

        public static Bits Compute() => new(
            [.. InstructionSets.Here], NumericsFingerprint.OfThisProcess.GetAwaiter().GetResult().Hash, LayerWorkload.Hashes(), KernelWorkload.Hashes());

        public static Bits Parse(string text) => JsonSerializer.Deserialize<Bits>(text)!;

        // The form that Parse reads, a hash on each line.
        public override string ToString() => JsonSerializer.Serialize(this, Lines);
    }
}
