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
    public static async Task<double> SustainAsync(ComputePool pool, TimeProvider time, TimeSpan duration)
    {
        var works = await Works(pool, Computation);
        var spent = new TimeSpan[works.Length];
        var rounds = 0;
        for (var started = time.GetTimestamp(); time.GetElapsedTime(started) < duration; rounds++)
        {
            await RunAsync(pool, time, works, (thread, elapsed) => spent[thread] += elapsed);
        }

        return Operations * rounds * works.Length / spent.Sum(each => each.TotalSeconds);
    }

    private static double Operations => Shape.ProjectOperations(Rows) + Shape.AttendOperations(Rows, Rows);

    private static Action Computation()
    {
        var head = new AttentionHead(
            Shape, new AttentionOptions(AttentionOptions.DefaultScale(HeadDim)), Part(ModelDim, HeadDim), Part(ModelDim, HeadDim), Part(ModelDim, HeadDim));
        var (x, z) = (new float[Rows * ModelDim], new float[Rows * HeadDim]);
        return () =>
        {
            using var projected = head.Project(x, Rows);
            head.Attend(projected, [Rows], z, HeadDim);
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
            await RunAsync(pool, time, works, (thread, elapsed) => best[thread] = elapsed < best[thread] ? elapsed : best[thread]);
        }

        return best.Max();
    }

    private static Task RunAsync(ComputePool pool, TimeProvider time, Action[] works, Action<int, TimeSpan> measured) =>
        pool.RunPartsAsync(works.Length, works.Length * ComputePool.InlineOperations, (part, _) =>
        {
            var started = time.GetTimestamp();
            works[part]();
            measured(part, time.GetElapsedTime(started));
        });

    private static LinearPart Part(int inputs, int outputs) => new(outputs, new float[inputs * outputs]);
}
