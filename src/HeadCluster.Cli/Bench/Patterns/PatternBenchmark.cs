using HeadCluster.Cli.Clusters;

namespace HeadCluster.Cli.Bench.Patterns;

/// <summary>
/// The twelve attention layers of gpt2-small on one silo of this process, with every pattern captured and with none, in turn,
/// A B B A, so that whatever slows the machine down slows both. Ratios are taken pair by pair. A whole model has feed-forward layers
/// besides, which capture nothing: its ratio is nearer to 1.
/// </summary>
internal sealed class PatternBenchmark : IAsyncDisposable
{
    private const string Model = "random:gpt2-small";
    private const int Layers = 12;
    private const int ModelDim = 768;

    // So many that the runtime compiles what they run for good.
    private const int WarmUpCalls = 30;

    private readonly EmbeddedCluster _cluster;
    private readonly FloatTensor _input;
    private readonly TimeProvider _time = TimeProvider.System;

    private PatternBenchmark(EmbeddedCluster cluster, int tokens)
    {
        _cluster = cluster;
        var random = new Random(2);
        _input = new FloatTensor([.. Enumerable.Range(0, tokens * ModelDim).Select(_ => (2 * random.NextSingle()) - 1)], tokens, ModelDim);
    }

    /// <summary>Starts a silo, has it load all heads and compile what it runs.</summary>
    public static async Task<PatternBenchmark> StartAsync(int tokens, CancellationToken cancellationToken)
    {
        var cluster = await EmbeddedCluster.StartAsync("headcluster-bench-patterns", ["bench"], [], cancellationToken);
        var benchmark = new PatternBenchmark(cluster, tokens);
        try
        {
            for (var call = 0; call < WarmUpCalls; call++)
            {
                await benchmark.RunAsync(PatternSelection.All, cancellationToken);
                await benchmark.RunAsync(patterns: null, cancellationToken);
            }

            return benchmark;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Median seconds with and without patterns, and the median ratio over pairs.</summary>
    public async Task<(double With, double Without, double Ratio)> MeasureAsync(int pairs, CancellationToken cancellationToken)
    {
        var (with, without) = (new double[pairs], new double[pairs]);
        for (var pair = 0; pair < pairs; pair++)
        {
            if (pair % 2 == 0)
            {
                with[pair] = await RunAsync(PatternSelection.All, cancellationToken);
                without[pair] = await RunAsync(patterns: null, cancellationToken);
            }
            else
            {
                without[pair] = await RunAsync(patterns: null, cancellationToken);
                with[pair] = await RunAsync(PatternSelection.All, cancellationToken);
            }
        }

        return (Medians.Of(with), Medians.Of(without), Medians.Of(with.Zip(without, (captured, plain) => captured / plain)));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    // Seconds that all layers take, one after the other as a model asks them.
    private async Task<double> RunAsync(PatternSelection? patterns, CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        for (var layer = 0; layer < Layers; layer++)
        {
            var result = await _cluster.Client.AttendAsync(Model, layer, new AttentionRequest(_input, Patterns: patterns), cancellationToken);
            result.Output.Release();
        }

        return _time.GetElapsedTime(began).TotalSeconds;
    }
}
