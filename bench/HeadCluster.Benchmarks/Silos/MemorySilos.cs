using System.Globalization;
using HeadCluster.Benchmarks.Kernels;
using HeadCluster.Testing;

namespace HeadCluster.Benchmarks.Silos;

/// <summary>
/// One layer on in-memory silos of one compute thread each, its heads spread evenly, its coordinator on the first silo; and beside it
/// one that is sent the same x and computes next to nothing, since its heads are one element wide.
/// </summary>
internal sealed class MemorySilos : IAsyncDisposable
{
    private readonly HeadClusterTestCluster _cluster;
    private readonly IMultiHeadAttentionGrain _layer;
    private readonly IMultiHeadAttentionGrain _calls;
    private readonly AttentionRequest _request;

    private MemorySilos(HeadClusterTestCluster cluster, LayerId layer, LayerId calls, FloatTensor x)
    {
        _cluster = cluster;
        _layer = cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(layer.ToString());
        _calls = cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(calls.ToString());
        _request = new AttentionRequest(x);
    }

    public static async Task<MemorySilos> StartAsync(int silos, int rows, int modelDim, int heads, CancellationToken cancellationToken)
    {
        var (layer, calls) = (Layer(modelDim / heads), Layer(headDim: 1));
        var cluster = await HeadClusterTestCluster.StartAsync(silos, options => options.ComputeThreads = 1, cancellationToken);
        try
        {
            foreach (var placed in new[] { layer, calls })
            {
                for (var head = 0; head < heads; head++)
                {
                    await cluster.PlaceHeadAsync(placed.Head(head), cluster.Silos[head * silos / heads]);
                }

                await cluster.PlaceCoordinatorAsync(placed, cluster.Silos[0]);
            }

            return new MemorySilos(cluster, layer, calls, Input(rows, modelDim));
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        LayerId Layer(int headDim) => new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"random:gpt2-small?layers=1&model_dim={modelDim}&heads={heads}&head_dim={headDim}&positions={rows}"),
            0);
    }

    /// <summary>The layer's output.</summary>
    public FloatTensor Attend() => Ask(_layer);

    /// <summary>As many calls with the same x.</summary>
    public void Call() => Ask(_calls).Release();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private FloatTensor Ask(IMultiHeadAttentionGrain layer) => layer.AttendAsync(_request).GetAwaiter().GetResult().Output;

    private static FloatTensor Input(int rows, int columns) => new(LayerWeights.Noise(new Random(1), rows * columns, 1), rows, columns);
}
