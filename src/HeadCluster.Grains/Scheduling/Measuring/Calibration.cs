using System.Buffers;
using HeadCluster.Kernels;

namespace HeadCluster.Scheduling;

/// <summary>What the kernels of a silo do undisturbed.</summary>
/// <param name="OperationsPerSecond">Floating-point operations a second of one thread, all threads computing.</param>
/// <param name="ReadBytesPerSecond">Weights that all threads together read a second, in bytes.</param>
internal sealed record Calibration(double OperationsPerSecond, double ReadBytesPerSecond)
{
    // A head of GPT-2's sizes, over enough rows that all of its kernels count as they do in a layer.
    private const int ModelDim = 768;
    private const int HeadDim = 64;
    private const int Rows = 128;

    // Weights that one row reads once, 8 MiB a thread; more than the caches next to a core hold.
    private const int ReadInputs = 1024;
    private const int ReadOutputs = 2048;

    private const int Repetitions = 12;

    /// <summary>
    /// Rounds that wait while one is computed, so that threads do not sleep in between: one that has rested has a processor that others share
    /// for itself for a while. Some 50 ms of them, since who brings more waits for that processor too.
    /// </summary>
    private const int RoundsAhead = 64;

    private static readonly HeadShape Shape = new(ModelDim, QueryHeads: 1, HeadDim, ValueDim: HeadDim);

    /// <summary>Measures on all threads at once, in pieces of a millisecond or less, between which requests are served.</summary>
    public static async Task<Calibration> MeasureAsync(ComputePool pool, TimeProvider time)
    {
        var computing = await Works(pool, Computation);
        var reading = await Works(pool, () =>
        {
            var weights = PackedMatrix.Pack(ReadInputs, Part(ReadInputs, ReadOutputs));
            var (x, y) = (new float[ReadInputs], new float[ReadOutputs]);
            return () => LinearKernel.Apply(x, 1, weights, y);
        });
        return new Calibration(
            Operations / (await BestAsync(pool, time, computing)).TotalSeconds,
            pool.ThreadCount * (double)sizeof(float) * ReadInputs * ReadOutputs / (await BestAsync(pool, time, reading)).TotalSeconds);
    }

    /// <summary>What a thread does if it goes on for a while, with all that takes the processor from it, in operations a second.</summary>
    /// <param name="pool">The threads. Whatever else there is for them to do goes first.</param>
    /// <param name="time">The time.</param>
    /// <param name="duration">How long each thread computes for it.</param>
    public static async Task<double> SustainAsync(ComputePool pool, TimeProvider time, TimeSpan duration)
    {
        var works = await Works(pool, Computation);
        var (pieces, ticks, enough) = (0, 0L, duration.Ticks * works.Length);
        var ahead = new Queue<Task>();
        while (Interlocked.Read(ref ticks) < enough)
        {
            ahead.Enqueue(RunAsync(pool, Compute, new ComputeOrder(Turn: long.MaxValue, Place: 0)));
            if (ahead.Count > RoundsAhead)
            {
                await ahead.Dequeue();
            }
        }

        await Task.WhenAll(ahead);
        return Operations * pieces / TimeSpan.FromTicks(ticks).TotalSeconds;

        void Compute(int thread)
        {
            // Of what was brought ahead the rest is not wanted any more.
            if (Interlocked.Read(ref ticks) < enough)
            {
                var elapsed = ComputePool.StartDelay + Time(works[thread], time);
                Interlocked.Add(ref ticks, elapsed.Ticks);
                Interlocked.Increment(ref pieces);
            }
        }
    }

    private static double Operations => Shape.ProjectOperations(Rows) + Shape.AttendOperations(Rows, Rows);

    private static Action Computation()
    {
        var head = new AttentionHead(
            Shape, new AttentionOptions(AttentionOptions.DefaultScale(HeadDim)), Part(ModelDim, HeadDim), Part(ModelDim, HeadDim), Part(ModelDim, HeadDim));
        var x = new float[Rows * ModelDim];
        return () =>
        {
            // Of its own: threads that are ahead of others compute the next round meanwhile.
            var z = ArrayPool<float>.Shared.Rent(Rows * HeadDim);
            using var projected = head.Project(x, Rows);
            head.Attend(projected, [Rows], z, HeadDim);
            ArrayPool<float>.Shared.Return(z);
        };
    }

    // One for each thread.
    private static async Task<Action[]> Works(ComputePool pool, Func<Action> prepare)
    {
        var works = new Action[pool.ThreadCount];
        for (var thread = 0; thread < works.Length; thread++)
        {
            works[thread] = await Task.Run(prepare);
        }

        return works;
    }

    // The shortest that a thread's work took, on the slowest thread. The shortest, since others may be computing meanwhile.
    private static async Task<TimeSpan> BestAsync(ComputePool pool, TimeProvider time, Action[] works)
    {
        var best = new TimeSpan[works.Length];
        Array.Fill(best, TimeSpan.MaxValue);
        for (var i = 0; i < Repetitions; i++)
        {
            await RunAsync(pool, thread =>
            {
                var elapsed = Time(works[thread], time);
                best[thread] = elapsed < best[thread] ? elapsed : best[thread];
            });
        }

        return best.Max();
    }

    // Once for each thread.
    private static Task RunAsync(ComputePool pool, Action<int> work, ComputeOrder? order = null) =>
        pool.RunPartsAsync(pool.ThreadCount, pool.ThreadCount * ComputePool.InlineOperations, (part, _) => work(part), order);

    private static TimeSpan Time(Action work, TimeProvider time)
    {
        var started = time.GetTimestamp();
        work();
        return time.GetElapsedTime(started);
    }

    private static LinearPart Part(int inputs, int outputs) => new(outputs, new float[inputs * outputs]);
}
