using System.Globalization;
using HeadCluster.Benchmarks.Kernels;
using HeadCluster.Testing;

namespace HeadCluster.Benchmarks.Silos;

/// <summary>
/// One layer on in-memory silos of one compute thread each, its heads spread evenly, its coordinator on the first silo.
/// </summary>
internal sealed class MemorySilos : IAsyncDisposable
{
    private readonly HeadClusterTestCluster _cluster;
    private readonly IMultiHeadAttentionGrain _layer;
    private readonly AttentionRequest _request;

    private MemorySilos(HeadClusterTestCluster cluster, LayerId layer, FloatTensor x)
    {
        _cluster = cluster;
        _layer = cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(layer.ToString());
        _request = new AttentionRequest(x);
    }

    public static async Task<MemorySilos> StartAsync(int silos, int rows, int modelDim, int heads, CancellationToken cancellationToken)
    {
        var layer = new LayerId(
            string.Create(CultureInfo.InvariantCulture, $"random:gpt2-small?layers=1&model_dim={modelDim}&heads={heads}&positions={rows}"), 0);
        var cluster = await HeadClusterTestCluster.StartAsync(silos, options => options.ComputeThreads = 1, cancellationToken);
        try
        {
            for (var head = 0; head < heads; head++)
            {
                await cluster.PlaceHeadAsync(layer.Head(head), cluster.Silos[head * silos / heads]);
            }

            await cluster.PlaceCoordinatorAsync(layer, cluster.Silos[0]);
            return new MemorySilos(cluster, layer, Input(rows, modelDim));
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The layer's output.</summary>
    public FloatTensor Attend() => _layer.AttendAsync(_request).GetAwaiter().GetResult().Output;

    /// <summary>One request, whose output nobody wants.</summary>
    public void Run() => Attend().Release();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private static FloatTensor Input(int rows, int columns) => new(LayerWeights.Noise(new Random(1), rows * columns, 1), rows, columns);
}
