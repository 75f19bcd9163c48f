namespace HeadCluster.Cli.Bench;

/// <summary>
/// The same layer on several silos and on one, in turn, A B B A, so that whatever slows the machine down slows both. A ratio is that of
/// all four: what follows its like is faster than what follows the other. The median of the ratios counts.
/// </summary>
internal sealed class ClusterBenchmark : IAsyncDisposable
{
    private readonly BenchCluster _one;
    private readonly BenchCluster _many;
    private readonly SocketBytes? _sockets;
    private readonly BenchEffort _effort;
    private readonly int _threads;

    private ClusterBenchmark(BenchCluster one, BenchCluster many, SocketBytes? sockets, BenchEffort effort, int threads)
    {
        _one = one;
        _many = many;
        _sockets = sockets;
        _effort = effort;
        _threads = threads;
    }

    /// <summary>Starts both clusters and has them compile what they run.</summary>
    public static async Task<ClusterBenchmark> StartAsync(
        int silos, int threads, Pinning pinning, SocketBytes? sockets, BenchEffort effort, CancellationToken cancellationToken)
    {
        var one = await BenchCluster.StartAsync("headcluster-bench-one", 1, threads, pinning, cancellationToken);
        try
        {
            var many = await BenchCluster.StartAsync("headcluster-bench-many", silos, threads, pinning, cancellationToken);
            var benchmark = new ClusterBenchmark(one, many, sockets, effort, threads);
            try
            {
                var (shape, amount) = BenchEffort.ProcessWarmUp;
                await benchmark.PrepareAsync(shape, amount, cancellationToken);
                return benchmark;
            }
            catch
            {
                await many.DisposeAsync();
                throw;
            }
        }
        catch
        {
            await one.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="BenchFailure">The bits differ, heads are not where they belong, or a silo ended.</exception>
    public async Task<ClusterResult> MeasureAsync(BenchShape shape, CancellationToken cancellationToken)
    {
        var sha256 = await PrepareAsync(shape, _effort.WarmUp, cancellationToken);
        var (one, many) = (new List<double>(), new List<double>());
        var (calls, compared) = (new List<CallTimes>(), new List<CallTimes>());
        var sentBefore = await SentAsync(cancellationToken);
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        for (var round = 0; round < _effort.LeastRounds || (round < _effort.MostRounds && time.GetElapsedTime(began) < _effort.Budget); round++)
        {
            var first = await MeasureOneAsync();
            many.Add((await MeasureManyAsync() + await MeasureManyAsync()) / 2);
            one.Add((first + await MeasureOneAsync()) / 2);
            compared.AddRange(await AskAsync(_one, WorkerTask.Compare));
        }

        var sent = await SentAsync(cancellationToken) - sentBefore;
        var silos = _many.SiloPorts.Length;
        var ideal = shape.IdealBytes(silos);
        var wire = silos == 1 ? 0 : (double?)sent / calls.Count;
        var (plain, empty) = (Medians.Of(compared.Select(call => call.Plain)), Medians.Of(compared.Select(call => call.Empty)));
        return new ClusterResult(
            shape.Rows,
            shape.ModelDim,
            shape.Heads,
            silos,
            _threads,
            Medians.Of(many) * 1e3,
            Medians.Of(one) * 1e3,
            Medians.Of(one.Zip(many, (a, b) => a / b)),
            wire is null ? null : (long)Math.Round(wire.Value),
            ideal,
            ideal == 0 ? null : wire / ideal,
            Medians.Of(calls.Select(call => call.TransferShare)),
            plain * 1e3,
            Medians.Of(compared.Select(call => call.Layer / call.Plain)),
            empty * 1e3,
            Medians.Of(compared.Select(call => call.Layer)) / (empty + plain),
            sha256);

        async Task<double> MeasureOneAsync() => Medians.Of((await AskAsync(_one, WorkerTask.Attend)).Select(call => call.Layer));

        async Task<double> MeasureManyAsync()
        {
            var sample = await AskAsync(_many, WorkerTask.Attend);
            calls.AddRange(sample);
            return Medians.Of(sample.Select(call => call.Layer));
        }

        async Task<CallTimes[]> AskAsync(BenchCluster cluster, WorkerTask task)
        {
            var answer = await cluster.AskAsync(task, shape, _effort.Sample, cancellationToken);
            CheckBits(shape, sha256, answer);
            return answer.Calls;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _many.DisposeAsync();
        await _one.DisposeAsync();
    }

    // Returns the output's hash.
    private async Task<string> PrepareAsync(BenchShape shape, Amount warmUp, CancellationToken cancellationToken)
    {
        var first = await _one.AskAsync(WorkerTask.Prepare, shape, warmUp, cancellationToken);
        CheckBits(shape, first.Sha256, await _many.AskAsync(WorkerTask.Prepare, shape, warmUp, cancellationToken));
        CheckBits(shape, first.Sha256, await _one.AskAsync(WorkerTask.Compare, shape, warmUp, cancellationToken));
        CheckBits(shape, first.Sha256, await _many.AskAsync(WorkerTask.Attend, shape, warmUp, cancellationToken));
        return first.Sha256;
    }

    private async Task<long?> SentAsync(CancellationToken cancellationToken) =>
        _sockets is null ? null : await _sockets.CountAsync(_many.SiloPorts, cancellationToken);

    private static void CheckBits(BenchShape shape, string sha256, WorkerAnswer answer)
    {
        if (answer.Sha256 != sha256)
        {
            throw new BenchFailure($"{shape}: the output's SHA-256 is {sha256} on one silo and {answer.Sha256} on several");
        }
    }
}
