using HeadCluster.Models;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Loading;

/// <summary>A model that cannot be served says why, and the silo goes on serving the others.</summary>
public sealed class BrokenModelTests
{
    private const string Config = """{"embed_dim": 8, "num_heads": 2}""";

    [Fact]
    public Task A_directory_without_a_configuration_is_refused() => RefusedAsync(directory => File.Delete(directory.File("config.json")), "config.json");

    [Fact]
    public Task A_missing_tensor_is_refused() =>
        RefusedAsync(directory => WriteTensors(directory, tensors => tensors.RemoveAll(tensor => tensor.Name == "out_proj.weight")), "out_proj.weight");

    [Fact]
    public Task An_extra_tensor_is_refused() =>
        RefusedAsync(directory => WriteTensors(directory, tensors => tensors.Add(Tensor("adapter.weight", 2, 2))), "adapter.weight");

    [Fact]
    public Task A_mis_shaped_tensor_is_refused() => RefusedAsync(
        directory => WriteTensors(directory, tensors => tensors[0] = Tensor("in_proj_weight", 23, 8)), "in_proj_weight", "[23, 8]", "[24, 8]");

    [Fact]
    public Task A_truncated_file_is_refused() => RefusedAsync(
        directory =>
        {
            using var file = File.OpenWrite(directory.File("model.safetensors"));
            file.SetLength(file.Length - 1);
        },
        "model.safetensors");

    [Fact]
    public Task Heads_that_do_not_divide_the_width_are_refused() => RefusedAsync(
        directory => File.WriteAllText(directory.File("config.json"), """{"embed_dim": 8, "num_heads": 3}"""), "3", "8");

    [Fact]
    public async Task A_model_that_is_mended_is_served_without_a_restart()
    {
        using var directory = WholeModel();
        File.Delete(directory.File("config.json"));
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, ("model", directory.Path));
        await Refusal.OfAsync(() => AttendAsync(cluster, "model", 8), "config.json");

        File.WriteAllText(directory.File("config.json"), Config);

        // The grain that could not load goes away after it has said why; calls that reach it before say it again.
        HeadClusterException? error;
        do
        {
            error = await Record.ExceptionAsync(() => AttendAsync(cluster, "model", 8)) as HeadClusterException;
        }
        while (error is not null && !TestContext.Current.CancellationToken.IsCancellationRequested);
        Assert.Null(error);
    }

    [Fact]
    public async Task A_model_larger_than_the_memory_limit_is_refused_and_a_smaller_one_served()
    {
        // A nano layer takes 48 · 48 · 4 weights of 4 bytes and a few biases.
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            1, options => options.MemoryLimitBytes = 100_000, TestContext.Current.CancellationToken);

        var error = await Refusal.OfAsync(() => AttendAsync(cluster, "random:gpt2-small", 768), "bytes", "MemoryLimitBytes");
        Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
        await AttendAsync(cluster, "random:nano", 48);
    }

    [Fact]
    public async Task Weights_of_heads_that_left_a_silo_no_longer_count_there()
    {
        // Each of the two silos has room for the layer and all of its heads, but not twice.
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            2, options => options.MemoryLimitBytes = 45_000, TestContext.Current.CancellationToken);
        for (var round = 0; round < 4; round++)
        {
            for (var head = 0; head < 3; head++)
            {
                await cluster.PlaceHeadAsync(new HeadId("random:nano", 0, head), cluster.Silos[round % 2]);
            }
        }

        await AttendAsync(cluster, "random:nano", 48);
    }

    [Theory]
    [InlineData(1, 80_000)]
    [InlineData(2, 45_000)]
    public async Task Heads_of_a_layer_that_does_not_fit_are_let_go_of(int silos, long limit)
    {
        // Eight heads of 9.4 kB each and a W_O of 25 kB: some fit beside it, on every silo, and not all.
        const string Large = "random:nano?layers=1&heads=8";

        // Two heads of 19 kB and a W_O of 12 kB: they do not fit beside those.
        const string Small = "random:nano?layers=1&heads=2&head_dim=32";
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            silos, options => options.MemoryLimitBytes = limit, TestContext.Current.CancellationToken);

        for (var round = 0; round < 2; round++)
        {
            var error = await Refusal.OfAsync(() => AttendAsync(cluster, Large, 48), "random:nano", "bytes", "MemoryLimitBytes");
            Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
            await AttendAsync(cluster, Small, 48);
            await ReleaseAsync(cluster, Small);
        }
    }

    [Theory]
    [InlineData(330_000, new int[0], "nano-gpt/2", 24)]
    [InlineData(330_000, new[] { 2 }, "nano-gpt/1", 24)]
    [InlineData(250_000, new[] { 1, 2 }, "model nano-gpt", 18)]
    public async Task Layers_of_a_model_that_does_not_fit_are_let_go_of(long limit, int[] before, string what, int heads)
    {
        // What is not attention takes 236 kB and each of the three layers 38 kB; the other model 12.6 kB a head.
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            1,
            options =>
            {
                options.Models[NanoGpt.Name] = new() { Path = NanoGpt.Directory };
                options.MemoryLimitBytes = limit;
            },
            TestContext.Current.CancellationToken);
        foreach (var layer in before)
        {
            await cluster.Client.AttendAsync(NanoGpt.Name, layer, Matrices.Random(3, 48), TestContext.Current.CancellationToken);
        }

        var error = await Refusal.OfAsync(
            () => cluster.Client.LogitsAsync(NanoGpt.Name, new[] { 0, 1, 2 }, TestContext.Current.CancellationToken), what, "bytes");

        Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
        Assert.Empty(await cluster.FindHeadsAsync(TestContext.Current.CancellationToken));
        await AttendAsync(cluster, $"random:nano?layers=1&heads={heads}", 48);
    }

    [Fact]
    public async Task A_head_whose_loading_breaks_off_keeps_no_memory()
    {
        // Room for W_O and the three heads, once.
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            1, options => options.MemoryLimitBytes = 40_000, TestContext.Current.CancellationToken);
        var head = cluster.Grains.GetGrain<IAttentionHeadGrain>(new HeadId("random:nano", 0, 0).ToString());

        cluster.FailNextComputation(cluster.Silos[0], new InvalidOperationException("a defect"));
        await Assert.ThrowsAnyAsync<Exception>(() => head.GetStatisticsAsync(TestContext.Current.CancellationToken));

        await AttendAsync(cluster, "random:nano", 48);
    }

    // One layer, and what is active of its heads.
    private static async Task ReleaseAsync(HeadClusterTestCluster cluster, string model)
    {
        var heads = (await cluster.FindHeadsAsync(TestContext.Current.CancellationToken)).Keys.Where(head => head.Model == model);
        await Task.WhenAll(heads.Select(head => cluster.Grains.GetGrain<IAttentionHeadGrain>(head.ToString()).ReleaseAsync()));
        await cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(new LayerId(model, 0).ToString()).ReleaseAsync();
    }

    private static async Task RefusedAsync(Action<TemporaryDirectory> damage, params string[] words)
    {
        using var directory = WholeModel();
        damage(directory);
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, ("broken", directory.Path), NanoGpt.Model);

        var error = await Refusal.OfAsync(() => AttendAsync(cluster, "broken", 8), ["broken", .. words]);
        Assert.Equal(HeadClusterErrorKind.InvalidModel, error.Kind);

        await AttendAsync(cluster, NanoGpt.Name, 48);
        var status = await cluster.Client.StatusAsync(TestContext.Current.CancellationToken);
        Assert.Equal([NanoGpt.Name], status.Models.Select(model => model.Name));
        Assert.Equal([new BrokenModel("broken", error.Message)], status.BrokenModels);
    }

    private static Task<AttentionResult> AttendAsync(HeadClusterTestCluster cluster, string model, int width) =>
        cluster.Client.AttendAsync(model, 0, Matrices.Random(3, width), TestContext.Current.CancellationToken);

    // PyTorch's nn.MultiheadAttention, 8 wide, 2 heads.
    private static TemporaryDirectory WholeModel()
    {
        var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("config.json"), Config);
        WriteTensors(directory, _ => { });
        return directory;
    }

    private static void WriteTensors(TemporaryDirectory directory, Action<List<NamedTensor>> change)
    {
        List<NamedTensor> tensors = [Tensor("in_proj_weight", 24, 8), Tensor("out_proj.weight", 8, 8)];
        change(tensors);
        SafetensorsWriter.Write(directory.File("model.safetensors"), tensors);
    }

    private static NamedTensor Tensor(string name, int rows, int columns) => new(name, [rows, columns], Matrices.Random(rows, columns).Memory);
}
