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

    /// <summary>Measures on all threads at once, in pieces of a millisecond or less, between which requests are served.</summary>
    public static async Task<Calibration> MeasureAsync(ComputePool pool, TimeProvider time)
    {
        var shape = new HeadShape(ModelDim, QueryHeads: 1, HeadDim, ValueDim: HeadDim);
        var head = new AttentionHead(
            shape, new AttentionOptions(AttentionOptions.DefaultScale(HeadDim)), Part(ModelDim, HeadDim), Part(ModelDim, HeadDim), Part(ModelDim, HeadDim));
        var x = new float[Rows * ModelDim];
        var compute = await BestAsync(pool, time, () =>
        {
            var z = new float[Rows * HeadDim];
            return () =>
            {
                using var projected = head.Project(x, Rows);
                head.Attend(projected, [Rows], z, HeadDim);
            };
        });
        var read = await BestAsync(pool, time, () =>
        {
            var weights = PackedMatrix.Pack(ReadInputs, Part(ReadInputs, ReadOutputs));
            var y = new float[ReadOutputs];
            return () => LinearKernel.Apply(x, 1, weights, y);
        });
        return new Calibration(
            (shape.ProjectOperations(Rows) + shape.AttendOperations(Rows, Rows)) / compute.TotalSeconds,
            pool.ThreadCount * (double)sizeof(float) * ReadInputs * ReadOutputs / read.TotalSeconds);
    }

    // The shortest that a thread's work took, on the slowest thread. The shortest, since others may be computing meanwhile.
    private static async Task<TimeSpan> BestAsync(ComputePool pool, TimeProvider time, Func<Action> prepare)
    {
        var works = new Action[pool.ThreadCount];
        var best = new TimeSpan[pool.ThreadCount];
        for (var thread = 0; thread < works.Length; thread++)
        {
            works[thread] = await Task.Run(prepare);
            best[thread] = TimeSpan.MaxValue;
        }

        for (var i = 0; i < Repetitions; i++)
        {
            await pool.RunPartsAsync(works.Length, works.Length * ComputePool.InlineOperations, (part, _) =>
            {
                var started = time.GetTimestamp();
                works[part]();
                var elapsed = time.GetElapsedTime(started);
                best[part] = elapsed < best[part] ? elapsed : best[part];
            });
        }

        return best.Max();
    }

    private static LinearPart Part(int inputs, int outputs) => new(outputs, new float[inputs * outputs]);
}
