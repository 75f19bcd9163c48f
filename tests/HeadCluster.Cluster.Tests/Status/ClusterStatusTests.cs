using HeadCluster.Grains;
using HeadCluster.Kernels;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Status;

public sealed class ClusterStatusTests
{
    [Fact]
    public async Task Status_tells_silos_models_and_heads_and_activates_none()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);

        var before = await cluster.Client.StatusAsync(TestContext.Current.CancellationToken);
        Assert.Equal(cluster.Silos, before.Silos.Select(silo => silo.Address));
        Assert.All(before.Silos, silo => Assert.Equal("Active", silo.Status));
        Assert.Equal([new ModelDescription(NanoGpt.Name, 3, 48, 3, 3, 16, 11, 3)], before.Models);
        Assert.Empty(before.Heads);
        Assert.Empty(before.BrokenModels);

        for (var request = 0; request < 3; request++)
        {
            await cluster.Client.AttendAsync(NanoGpt.Name, 1, Matrices.Random(11, 48), TestContext.Current.CancellationToken);
        }

        var after = await cluster.Client.StatusAsync(TestContext.Current.CancellationToken);
        Assert.Equal([new HeadId(NanoGpt.Name, 1, 0), new HeadId(NanoGpt.Name, 1, 1), new HeadId(NanoGpt.Name, 1, 2)], after.Heads.Select(head => head.Head));
        Assert.All(after.Heads, head =>
        {
            Assert.Equal(3, head.Requests);
            Assert.Equal(PackedMatrix.SizeOf(48, 48, WeightFormat.Float32), head.WeightBytes);
            Assert.True(head.Project.P50 > TimeSpan.Zero && head.Attend.P50 > TimeSpan.Zero);
            Assert.Contains(head.Silo, cluster.Silos);
        });
    }

    [Fact]
    public async Task A_model_is_described_without_its_weights()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            1,
            options =>
            {
                options.Models[NanoGpt.Name] = new() { Path = NanoGpt.Directory };
                options.MemoryLimitBytes = 1;
            },
            TestContext.Current.CancellationToken);

        var described = await cluster.Client.DescribeAsync(NanoGpt.Name, TestContext.Current.CancellationToken);

        Assert.Equal(new ModelDescription(NanoGpt.Name, 3, 48, 3, 3, 16, 11, 3), described);
        Assert.Empty(await cluster.Grains.GetGrain<IManagementGrain>(0).GetActiveGrains(TransformerGrain.Type, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_model_that_is_not_there_is_not_described()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1);
        var error = await Refusal.OfAsync(() => cluster.Client.DescribeAsync("nowhere", TestContext.Current.CancellationToken), "nowhere", "random:");
        Assert.Equal(HeadClusterErrorKind.NotFound, error.Kind);
    }

    [Fact]
    public async Task A_built_in_model_is_described_once_it_is_used()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1);
        Assert.Empty((await cluster.Client.StatusAsync(TestContext.Current.CancellationToken)).Models);

        var described = await cluster.Client.DescribeAsync("random:llama-110m", TestContext.Current.CancellationToken);

        Assert.Equal(0, described.VocabularySize);
        Assert.Equal([described], (await cluster.Client.StatusAsync(TestContext.Current.CancellationToken)).Models);
    }
}
