using System.Text.Json;

namespace HeadCluster.System.Tests.Scheduling;

public sealed class SchedulingCommandTests : IClassFixture<TwoSilos>
{
    private readonly TwoSilos _silos;

    public SchedulingCommandTests(TwoSilos silos) => _silos = silos;

    [Fact]
    public async Task Plan_has_the_nano_model_on_one_silo_and_says_why()
    {
        var plan = (await CommandResult.SucceedAsync("plan", "--cluster", _silos.First.Gateway, "--model", Inputs.Model, "--json")).Json;

        Assert.Equal("Measured", plan.GetProperty("strategy").GetString());
        Assert.Contains("one silo", plan.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal([0, 9], plan.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("heads").GetInt32()).Order());
        Assert.All(plan.GetProperty("silos").EnumerateArray(), silo => Assert.True(silo.GetProperty("memoryBytes").GetInt64() > 1 << 20));
        Assert.InRange(plan.GetProperty("predictedMilliseconds").GetDouble(), 0.001, 10);
    }

    [Fact]
    public async Task Plan_moves_nothing_until_it_is_applied_and_requests_keep_their_bits()
    {
        const string Model = "random:gpt2-small?layers=2&heads=4&kv_heads=4";
        using var folder = new HeadCluster.Tests.TemporaryDirectory();
        string[] attend = ["attend", "--cluster", _silos.First.Gateway, "--model", Model, "--layer", "0", "--input", Inputs.Write(folder.File("x.npy"), rows: 16, columns: 768), "--output"];
        await CommandResult.SucceedAsync([.. attend, folder.File("before.npy")]);
        string[] plan = ["plan", "--cluster", _silos.Second.Gateway, "--model", Model, "--strategy", "Even", "--json"];
        var preview = (await CommandResult.SucceedAsync(plan)).Json;
        Assert.Equal(4, await ActiveAsync(Model));

        var applied = (await CommandResult.SucceedAsync([.. plan, "--apply"])).Json;

        Assert.Equal(preview.GetProperty("moves").GetInt32(), applied.GetProperty("made").GetArrayLength());
        Assert.Equal(8, await ActiveAsync(Model));
        await CommandResult.SucceedAsync([.. attend, folder.File("after.npy")]);
        Assert.Equal(File.ReadAllBytes(folder.File("before.npy")), File.ReadAllBytes(folder.File("after.npy")));
        Assert.Equal(0, (await CommandResult.SucceedAsync(plan)).Json.GetProperty("moves").GetInt32());
    }

    [Fact]
    public async Task Move_brings_a_head_to_a_silo_and_says_so()
    {
        const string Head = "random:nano?seed=3/1/2";
        foreach (var silo in new[] { "first", "second", "first" })
        {
            var move = (await CommandResult.SucceedAsync("move", "--cluster", _silos.First.Gateway, Head, silo, "--json")).Json.GetProperty("moves")[0];
            Assert.Equal((Head, silo), (move.GetProperty("head").GetString(), move.GetProperty("to").GetString()));
            Assert.Equal(silo, (await HeadsAsync()).Single(head => head.GetProperty("model").GetString() == "random:nano?seed=3").GetProperty("silo").GetString());
        }
    }

    [Fact]
    public async Task Rebalance_brings_heads_together_that_are_not_worth_a_network_between_them()
    {
        const string Model = "random:nano?seed=5";
        string[] cluster = ["--cluster", _silos.First.Gateway];
        using var folder = new HeadCluster.Tests.TemporaryDirectory();
        await CommandResult.SucceedAsync(["attend", .. cluster, "--model", Model, "--layer", "0", "--input", Inputs.Write(folder.File("x.npy"), rows: 5)]);
        Assert.Equal(2, (await PlacesAsync(Model)).Distinct().Count());

        var moves = (await CommandResult.SucceedAsync(["rebalance", .. cluster, "--model", Model, "--json"])).Json.GetProperty("moves");

        Assert.NotEqual(0, moves.GetArrayLength());
        Assert.Single((await PlacesAsync(Model)).Distinct());
    }

    [Theory]
    [InlineData("no silo 'third'", "move", "nano-gpt/0/0", "third")]
    [InlineData("does not name a head", "move", "nano-gpt", "first")]
    [InlineData("no head nano-gpt/0/7", "move", "nano-gpt/0/7", "first")]
    [InlineData("no silo 'third'", "drain", "third")]
    [InlineData("no strategy 'Best'", "plan", "--model", "nano-gpt", "--strategy", "Best")]
    [InlineData("PinnedFile", "plan", "--model", "nano-gpt", "--strategy", "Pinned")]
    [InlineData("takes 1 to 11", "plan", "--model", "nano-gpt", "--rows", "12")]
    [InlineData("no model 'giant'", "rebalance", "--model", "giant")]
    public async Task What_cannot_be_done_is_said_in_one_line(string expected, params string[] command)
    {
        var result = await CommandResult.RunAsync([.. command, "--cluster", _silos.First.Gateway]);

        result.AssertRefused(expected);
    }

    private async Task<string[]> PlacesAsync(string model) =>
    [
        .. (await HeadsAsync()).Where(head => head.GetProperty("model").GetString() == model).Select(head => head.GetProperty("silo").GetString()!),
    ];

    private async Task<int> ActiveAsync(string model) => (await HeadsAsync()).Count(head => head.GetProperty("model").GetString() == model);

    private async Task<JsonElement[]> HeadsAsync() =>
        [.. (await CommandResult.SucceedAsync("status", "--cluster", _silos.First.Gateway, "--json")).Json.GetProperty("heads").EnumerateArray()];
}
