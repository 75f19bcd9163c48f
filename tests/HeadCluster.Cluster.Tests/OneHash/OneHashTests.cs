using HeadCluster.Testing;

namespace HeadCluster.Tests.OneHash;

/// <summary>Promise 2: for one model and one input the bits of the output are the same however it is run.</summary>
public sealed class OneHashTests
{
    /// <summary>
    /// SHA-256 of the logits of all 729 inputs of the shipped model with their answers, <c>[8019, 3]</c>. It moves only with the
    /// numerics contract (docs/numerics.md) or the shipped weights.
    /// </summary>
    private const string Expected = "e205f1273edb120275ec8f3462fd95ad7a5b2d8d282ca3fdfeb22be2c165ec8c";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task All_inputs_have_one_hash_on_any_number_of_silos(int silos)
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(silos, NanoGpt.Model);

        Assert.Equal(Expected, await HashAllAsync(cluster));
        var heads = await cluster.FindHeadsAsync(TestContext.Current.CancellationToken);
        Assert.All(
            heads.GroupBy(head => head.Key.Layer, head => head.Value),
            layer => Assert.Equal(Math.Min(silos, 3), layer.Distinct().Count()));
    }

    [Fact]
    public async Task All_inputs_have_one_hash_for_any_placement_of_the_heads()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3, NanoGpt.Model);
        var random = new Random(5);
        for (var placement = 0; placement < 5; placement++)
        {
            var silos = new Dictionary<HeadId, SiloAddress>();
            for (var index = 0; index < 9; index++)
            {
                var head = new HeadId(NanoGpt.Name, index / 3, index % 3);
                silos[head] = cluster.Silos[random.Next(3)];
                await cluster.PlaceHeadAsync(head, silos[head]);
            }

            Assert.Equal(Expected, await HashAllAsync(cluster));
            Assert.Equal(silos, await cluster.FindHeadsAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task All_inputs_have_one_hash_whether_asked_at_once_or_one_by_one()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        var logits = new List<float>();
        foreach (var input in NanoGpt.AllInputs())
        {
            var one = await cluster.Client.LogitsAsync(NanoGpt.Name, NanoGpt.WithAnswer(input), TestContext.Current.CancellationToken);
            logits.AddRange(one.Span);
        }

        Assert.Equal(Expected, NanoGpt.Hash([.. logits]));
    }

    [Fact]
    public async Task Heads_keep_their_hash_when_their_silo_is_stopped_or_killed()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3, NanoGpt.Model);
        Assert.Equal(Expected, await HashAllAsync(cluster));

        await cluster.KillSiloAsync(cluster.Silos[^1]);
        Assert.Equal(Expected, await HashAllAsync(cluster));

        await cluster.StopSiloAsync(cluster.Silos[^1]);
        Assert.Equal(Expected, await HashAllAsync(cluster));
        Assert.Single((await cluster.FindHeadsAsync(TestContext.Current.CancellationToken)).Values.Distinct());
    }

    private static async Task<string> HashAllAsync(HeadClusterTestCluster cluster)
    {
        var result = await cluster.Client.ForwardAsync(NanoGpt.Name, NanoGpt.AllAtOnce(), TestContext.Current.CancellationToken);
        Assert.Equal([729 * NanoGpt.FullLength, NanoGpt.Letters], result.Logits.Shape);
        return NanoGpt.Hash(result.Logits.Span);
    }
}
