namespace HeadCluster.Tests.Attention;

/// <summary>A wrong request gets one line that says what, where and what was expected, and the silo serves the next one.</summary>
[Collection(NanoGptCollection.Name)]
public sealed class BadInputTests(NanoGptCluster cluster)
{
    [Fact]
    public Task X_of_the_wrong_width_is_refused() =>
        LayerRefusesAsync(Matrices.Random(4, 47), "nano-gpt/0", "float32[4, 47]", "float32[rows, 48]");

    [Fact]
    public Task X_that_is_not_a_matrix_is_refused() =>
        LayerRefusesAsync(new FloatTensor(new float[48], 48), "nano-gpt/0", "float32[48]", "float32[rows, 48]");

    [Fact]
    public Task X_without_rows_is_refused() => LayerRefusesAsync(new FloatTensor([], 0, 48), "no rows", "1 to 11");

    [Fact]
    public Task X_longer_than_the_models_positions_is_refused() => LayerRefusesAsync(Matrices.Random(12, 48), "12 long", "1 to 11");

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public Task A_value_that_is_not_finite_is_named_by_row_and_column(float value, string name)
    {
        var values = Matrices.Random(11, 48).Memory.ToArray();
        values[(7 * 48) + 41] = value;
        return LayerRefusesAsync(new FloatTensor(values, 11, 48), name, "row 7, column 41", "finite");
    }

    [Theory]
    [InlineData(new[] { 3, 3 }, "6 long in all", "expected 11")]
    [InlineData(new[] { 11, 0 }, "sequence 1 is 0 long", "1 to 11")]
    [InlineData(new[] { 12, -1 }, "sequence 0 is 12 long", "1 to 11")]
    [InlineData(new int[0], "0 long in all", "expected 11")]
    public async Task Sequence_lengths_that_do_not_fit_the_rows_are_refused(int[] lengths, params string[] words)
    {
        var request = new AttentionRequest(Matrices.Random(11, 48), lengths);
        await RefusedAsync(() => cluster.Client.AttendAsync(NanoGpt.Name, 0, request, TestContext.Current.CancellationToken), words);
    }

    [Fact]
    public async Task A_head_checks_its_input_itself()
    {
        var head = cluster.Cluster.Grains.GetGrain<IAttentionHeadGrain>("nano-gpt/2/1");
        await RefusedAsync(() => AskAsync(Matrices.Random(4, 47), rows: 4), ["nano-gpt/2/1", "float32[4, 47]"]);
        await RefusedAsync(() => AskAsync(Matrices.Random(4, 48), rows: 5), ["nano-gpt/2/1", "5 long in all"]);
        Assert.Equal(4, (await AskAsync(Matrices.Random(4, 48), rows: 4)).Output.Rows);

        Task<HeadResult> AskAsync(FloatTensor x, int rows) =>
            head.AttendAsync(new HeadRequest(x, [rows]), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(new[] { 0, 1, 3 }, "token 3 at 2", "0 to 2")]
    [InlineData(new[] { -1 }, "token -1 at 0", "0 to 2")]
    [InlineData(new int[0], "no tokens", "1 to 11")]
    [InlineData(new[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, "12 long", "1 to 11")]
    public async Task Tokens_that_the_model_does_not_take_are_refused(int[] tokens, params string[] words)
    {
        await RefusedAsync(() => cluster.Client.LogitsAsync(NanoGpt.Name, tokens, TestContext.Current.CancellationToken), ["nano-gpt", .. words]);
        await RefusedAsync(() => GenerateAsync(tokens, 1), ["nano-gpt", .. words]);
    }

    [Fact]
    public async Task Tokens_that_are_missing_are_refused()
    {
        var model = cluster.Cluster.Grains.GetGrain<ITransformerGrain>(NanoGpt.Name);
        await RefusedAsync(() => model.ForwardAsync(new ForwardRequest(null!), TestContext.Current.CancellationToken), ["nano-gpt", "no tokens"]);
        await RefusedAsync(
            () => model.GenerateAsync(new GenerationRequest(null!, Steps: 1), TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken).AsTask(),
            ["nano-gpt", "no tokens"]);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(-1)]
    public Task More_steps_than_positions_are_refused(int steps) =>
        RefusedAsync(() => GenerateAsync([0, 1, 2, 0, 1, 2], steps), [$"{steps} steps after 6 tokens", "0 to 6"]);

    [Theory]
    [InlineData("no-such-model", 0, "no model 'no-such-model'", "nano-gpt")]
    [InlineData("nano-gpt", 3, "no layer 3", "0 to 2")]
    [InlineData("random:enormous", 0, "random:enormous", "nano")]
    public async Task An_unknown_model_or_layer_is_not_found(string model, int layer, params string[] words)
    {
        var error = await RefusedAsync(
            () => cluster.Client.AttendAsync(model, layer, Matrices.Random(2, 48), TestContext.Current.CancellationToken), words);
        Assert.True(error.Kind is HeadClusterErrorKind.NotFound or HeadClusterErrorKind.InvalidModel, error.Kind.ToString());
    }

    [Theory]
    [InlineData("nano-gpt/0/3", "no head 3", "0 to 2")]
    [InlineData("nano-gpt/0", "'nano-gpt/0'", "model/layer/head")]
    [InlineData("nonsense", "'nonsense'", "model/layer/head")]
    public Task An_unknown_head_is_not_found(string key, params string[] words) => RefusedAsync(
        () => cluster.Cluster.Grains.GetGrain<IAttentionHeadGrain>(key).AttendAsync(
            new HeadRequest(Matrices.Random(1, 48), [1]), TestContext.Current.CancellationToken),
        words);

    [Fact]
    public Task A_model_of_attention_layers_only_takes_no_tokens() => RefusedAsync(
        () => cluster.Client.LogitsAsync("random:nano", new[] { 0 }, TestContext.Current.CancellationToken), ["random:nano", "attention layers only"]);

    [Fact]
    public Task Patterns_that_no_message_holds_are_refused_by_layer_and_head()
    {
        // 3 · 8200 · 3500 shares of 4 bytes and keys of up to 6 in all, and a third of it of each head.
        const string Long = "random:nano?layers=1&positions=10000";
        var x = Matrices.Random(8200, 48);
        var patterns = PatternSelection.Top(3500);
        return Task.WhenAll(
            RefusedAsync(
                () => cluster.Client.AttendAsync(Long, 0, new AttentionRequest(x, Patterns: patterns), TestContext.Current.CancellationToken),
                ["random:nano", "the reply takes 862574544 bytes", "at most 267386880"]),
            RefusedAsync(
                () => cluster.Cluster.Grains.GetGrain<IAttentionHeadGrain>(new HeadId(Long, 0, 1).ToString()).AttendAsync(
                    new HeadRequest(x, [8200], patterns), TestContext.Current.CancellationToken),
                ["random:nano", "the reply takes 287524848 bytes", "at most 267386880"]));
    }

    [Fact]
    public async Task A_head_output_that_no_message_or_array_holds_is_refused()
    {
        const string Wide = "random:nano?layers=1&positions=10000&model_dim=1&heads=1&head_dim=32768";
        await RefusedAsync(() => AskAsync(3000), ["the reply takes 393216000 bytes"]);
        await RefusedAsync(() => AskAsync(6000), ["queries, keys and values of 6000 rows have 589824000 elements"]);

        Task AskAsync(int rows) => cluster.Client.AttendAsync(Wide, 0, Matrices.Random(rows, 1), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(130_000, ForwardCapture.None, false, "what a layer is sent takes 275340000 bytes")]
    [InlineData(100_000, ForwardCapture.Blocks, false, "the reply takes 646800000 bytes")]
    [InlineData(60_000, ForwardCapture.None, true, "the reply takes 295200000 bytes")]
    public Task Sequences_that_are_too_many_together_are_refused(int count, ForwardCapture capture, bool patterns, string because) => RefusedAsync(
        () => cluster.Client.ForwardAsync(
            NanoGpt.Name,
            new ForwardRequest(new int[count * 11], [.. Enumerable.Repeat(11, count)], capture, patterns ? PatternSelection.All : null),
            TestContext.Current.CancellationToken),
        ["model 'nano-gpt'", because, "at most 267386880"]);

    [Fact]
    public async Task Tokens_that_no_message_holds_are_refused_before_they_are_sent()
    {
        var tokens = new int[45_000_000];
        await RefusedAsync(
            () => cluster.Client.ForwardAsync(NanoGpt.Name, new ForwardRequest(tokens), TestContext.Current.CancellationToken), ["45000000 tokens"]);
        await RefusedAsync(() => GenerateAsync(tokens, 1), ["45000000 tokens"]);
    }

    private Task LayerRefusesAsync(FloatTensor x, params string[] words) =>
        RefusedAsync(() => cluster.Client.AttendAsync(NanoGpt.Name, 0, x, TestContext.Current.CancellationToken), words);

    private async Task<HeadClusterException> RefusedAsync(Func<Task> call, string[] words)
    {
        var error = await Refusal.OfAsync(call, words);
        var next = await cluster.Client.AttendAsync(NanoGpt.Name, 0, Matrices.Random(11, 48), TestContext.Current.CancellationToken);
        Assert.Equal(11, next.Output.Rows);
        return error;
    }

    private async Task GenerateAsync(int[] tokens, int steps)
    {
        await foreach (var token in cluster.Client.GenerateAsync(NanoGpt.Name, tokens, steps, TestContext.Current.CancellationToken))
        {
            Assert.Fail($"got {token}");
        }
    }
}
