using System.Diagnostics;

namespace HeadCluster.Cli.Bench;

/// <summary>
/// The same layer under several splits of its heads, and what the scheduler expects of each. Splits take turns, round by round, so
/// that whatever slows the machine down slows all of them.
/// </summary>
internal sealed class PlanBenchmark : IAsyncDisposable
{
    private const int MostPlans = 5;

    /// <summary>Fewer than of other benchmarks, since each split of a round is served for long.</summary>
    private const int LeastRounds = 3;

    private readonly BenchCluster _cluster;
    private readonly BenchEffort _effort;
    private readonly int _threads;
    private Process[] _busy = [];
    private CpuQuota? _quota;

    private PlanBenchmark(BenchCluster cluster, BenchEffort effort, int threads)
    {
        _cluster = cluster;
        _effort = effort;
        _threads = threads;
    }

    /// <summary>Starts silos, has them compile what they run, and then slows the last one down if asked to.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="threads">Compute threads, and cores, of each.</param>
    /// <param name="busy">Processes that take their share of the last silo's first core.</param>
    /// <param name="quota">What the last silo may use of a core, in percent; 100 for no limit.</param>
    /// <param name="pinning">Cores.</param>
    /// <param name="effort">How long to measure.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<PlanBenchmark> StartAsync(
        int silos, int threads, int busy, int quota, Pinning pinning, BenchEffort effort, CancellationToken cancellationToken)
    {
        var cluster = await BenchCluster.StartAsync("headcluster-bench-plan", silos, threads, pinning, cancellationToken);
        var benchmark = new PlanBenchmark(cluster, effort, threads);
        try
        {
            var (shape, amount) = BenchEffort.ProcessWarmUp;
            foreach (var task in new[] { WorkerTask.Prepare, WorkerTask.Attend })
            {
                await cluster.AskAsync(task, shape, amount, cancellationToken);
            }

            benchmark._quota = quota < 100 ? CpuQuota.Limit(cluster.LastProcess, quota) : null;
            if (pinning.KeepBusy(silos - 1, threads) is [var program, .. var arguments])
            {
                benchmark._busy = [.. Enumerable.Range(0, busy).Select(_ => Process.Start(program, arguments))];
            }

            return benchmark;
        }
        catch
        {
            await benchmark.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="BenchFailure">The bits differ, or a silo ended.</exception>
    public async Task<List<PlanResult>> MeasureAsync(BenchShape shape, CancellationToken cancellationToken)
    {
        var silos = _cluster.SiloPorts.Length;
        var splits = new List<Measured> { new(new int[shape.Heads]), new(shape.EvenPlaces(silos)) };

        // What it picks after it has seen requests served, and a neighbour to either side of it.
        var plan = await SeeAsync();
        for (var attempt = 1; plan.Coordinator != 0; attempt++)
        {
            if (attempt == MostPlans)
            {
                throw new BenchFailure($"{shape}: which silo is to coordinate changed {MostPlans} times; too much else runs on this machine");
            }

            // What is timed runs beside the coordinator.
            _cluster.Lead(plan.Coordinator);
            plan = await SeeAsync();
        }

        var picked = AddUnlessThere(plan.Places);
        foreach (var step in new[] { -1, 1 })
        {
            if (Shift(plan.Places, silos, step) is { } neighbour)
            {
                AddUnlessThere(neighbour);
            }
        }

        foreach (var split in splits)
        {
            split.Times.Clear();
        }

        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        for (var round = 0; round < LeastRounds || (round < _effort.MostRounds && time.GetElapsedTime(began) < _effort.Budget); round++)
        {
            foreach (var split in round % 2 == 0 ? splits : splits.AsEnumerable().Reverse())
            {
                // For so long that what the scheduler saw last is this split, as between two of its plans.
                await MeasureAsync(split, _effort.WarmUp);
                split.Predictions.Add((await PlanAsync()).PresentPredicted);
            }
        }

        var fastest = splits.Min(split => Medians.Of(split.Times));
        return [.. splits.Select(split => new PlanResult(
            shape.Rows,
            shape.ModelDim,
            shape.Heads,
            _threads,
            [.. Enumerable.Range(0, silos).Select(silo => split.Places.Count(place => place == silo))],
            split == picked,
            Medians.Of(split.Predictions) * 1e3,
            Medians.Of(split.Times) * 1e3,
            Medians.Of(split.Predictions) / Medians.Of(split.Times),
            Medians.Of(splits[0].Times.Zip(split.Times, (one, several) => one / several)),
            Medians.Of(split.Times) / fastest))];

        async Task<WorkerPlan> SeeAsync()
        {
            foreach (var split in splits)
            {
                await MeasureAsync(split, _effort.WarmUp);
            }

            return await PlanAsync();
        }

        Measured AddUnlessThere(int[] places)
        {
            var known = splits.Find(split => Counts(split.Places).SequenceEqual(Counts(places)));
            if (known is null)
            {
                splits.Add(known = new Measured(places));
            }

            return known;
        }

        int[] Counts(int[] places) => [.. Enumerable.Range(0, silos).Select(silo => places.Count(place => place == silo))];

        async Task MeasureAsync(Measured split, Amount amount)
        {
            await _cluster.AskAsync(WorkerTask.Prepare, shape, split.Places, amount, cancellationToken);

            // The coordinator learns where heads are by asking; that request is not one of those that count.
            await _cluster.AskAsync(WorkerTask.Attend, shape, split.Places, new Amount(Calls: 1, Seconds: 0), cancellationToken);
            var answer = await _cluster.AskAsync(WorkerTask.Attend, shape, split.Places, amount, cancellationToken);
            split.Times.Add(Medians.Of(answer.Calls.Select(call => call.Layer)));
        }

        async Task<WorkerPlan> PlanAsync() =>
            (await _cluster.AskAsync(WorkerTask.Plan, shape, [], new Amount(Calls: 0, Seconds: 0), cancellationToken)).Plan!;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in _busy)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        await _cluster.DisposeAsync();
        _quota?.Dispose();
    }

    // One head more or less on the coordinator's silo, from or to the last one, so that its heads stay the first, as they are in plans; null if
    // there is none to take.
    private static int[]? Shift(int[] places, int silos, int step)
    {
        var (from, to) = step > 0 ? (silos - 1, 0) : (0, silos - 1);
        var head = step > 0 ? Array.IndexOf(places, from) : Array.LastIndexOf(places, from);
        if (head < 0 || from == to)
        {
            return null;
        }

        int[] shifted = [.. places];
        shifted[head] = to;
        return shifted;
    }

    private sealed record Measured(int[] Places)
    {
        public List<double> Times { get; } = [];

        public List<double> Predictions { get; } = [];
    }
}
