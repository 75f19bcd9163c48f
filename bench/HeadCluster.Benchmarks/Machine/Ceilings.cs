using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Benchmarks.Machine;

/// <summary>What this machine could do at most at this moment: the ceilings that kernels are held against.</summary>
internal static class Ceilings
{
    // Far more than any cache holds.
    private static readonly float[] Memory = AllocateMemory(96 << 20);

    /// <summary>Fused multiply-adds on registers alone, in GFLOP/s over all threads.</summary>
    public static double PeakGflops(int threads)
    {
        const int Rounds = 400_000;
        var chains = Vector512.IsHardwareAccelerated ? 12 : 5;
        var seconds = Best(threads, _ => Multiply(Rounds));
        return 2.0 * Vector512<float>.Count * chains * Rounds * threads / seconds / 1e9;
    }

    /// <summary>Reading memory from end to end, in GB/s over all threads.</summary>
    public static double ReadGigabytes(int threads)
    {
        var share = Memory.Length / threads;
        var seconds = Best(threads, thread => Sum(Memory.AsSpan(thread * share, share)));
        return sizeof(float) * (double)share * threads / seconds / 1e9;
    }

    /// <summary>Reads one of several parts of some bytes: what a kernel that reads as many could do at best.</summary>
    public static void Read(int part, int parts, long bytes)
    {
        var length = (int)(bytes / sizeof(float) / parts);
        Consume(Sum(Memory.AsSpan((int)((long)length * part % (Memory.Length - length)), length)));
    }

    private static float[] AllocateMemory(int length)
    {
        var memory = GC.AllocateUninitializedArray<float>(length);
        memory.AsSpan().Fill(1e-3f);
        return memory;
    }

    // The best of a few: a ceiling is what the machine does when nothing disturbs it.
    private static double Best(int threads, Func<int, float> work)
    {
        var best = double.MaxValue;
        for (var attempt = 0; attempt < 5; attempt++)
        {
            using var start = new Barrier(threads);
            var seconds = new double[threads];
            var all = Enumerable.Range(0, threads).Select(thread => new Thread(() =>
            {
                start.SignalAndWait();
                var began = Stopwatch.GetTimestamp();
                Consume(work(thread));
                seconds[thread] = Stopwatch.GetElapsedTime(began).TotalSeconds;
            })).ToArray();
            Array.ForEach(all, thread => thread.Start());
            Array.ForEach(all, thread => thread.Join());
            best = Math.Min(best, seconds.Max());
        }

        return best;
    }

    // Independent chains enough to hide the latency of an FMA, and no more than there are registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Multiply(int rounds)
    {
        var (a, b) = (Vector512.Create(1f), Vector512.Create(0.5f));
        Vector512<float> s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a;
        for (var i = 0; i < rounds; i++)
        {
            s0 = Vector512.FusedMultiplyAdd(s0, b, a);
            s1 = Vector512.FusedMultiplyAdd(s1, b, a);
            s2 = Vector512.FusedMultiplyAdd(s2, b, a);
            s3 = Vector512.FusedMultiplyAdd(s3, b, a);
            s4 = Vector512.FusedMultiplyAdd(s4, b, a);
            if (Vector512.IsHardwareAccelerated)
            {
                s5 = Vector512.FusedMultiplyAdd(s5, b, a);
                s6 = Vector512.FusedMultiplyAdd(s6, b, a);
                s7 = Vector512.FusedMultiplyAdd(s7, b, a);
                s8 = Vector512.FusedMultiplyAdd(s8, b, a);
                s9 = Vector512.FusedMultiplyAdd(s9, b, a);
                s10 = Vector512.FusedMultiplyAdd(s10, b, a);
                s11 = Vector512.FusedMultiplyAdd(s11, b, a);
            }
        }

        return Vector512.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11);
    }

    // Four runs side by side, as a product reads its panels: one run alone waits for the tables of its next page.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum(ReadOnlySpan<float> memory)
    {
        ref var first = ref MemoryMarshal.GetReference(memory);
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
        nuint run;
        for (nuint start = 0; (run = Math.Min(12 * 1024, ((nuint)memory.Length - start) / 64 * 16)) > 0; start += 4 * run)
        {
            for (var i = start; i < start + run; i += 16)
            {
                s0 += Vector512.LoadUnsafe(ref first, i);
                s1 += Vector512.LoadUnsafe(ref first, i + run);
                s2 += Vector512.LoadUnsafe(ref first, i + (2 * run));
                s3 += Vector512.LoadUnsafe(ref first, i + (3 * run));
            }
        }

        return Vector512.Sum(s0 + s1 + s2 + s3);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Consume(float value) => GC.KeepAlive(value > float.MaxValue ? string.Empty : null);
}
