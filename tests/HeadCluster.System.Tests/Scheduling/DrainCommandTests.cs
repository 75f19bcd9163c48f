namespace HeadCluster.System.Tests.Scheduling;

public sealed class DrainCommandTests
{
    // Of more bytes than the first silo has.
    private const string Large = "random:gpt2-small?layers=1&heads=1&kv_heads=1";

    [Fact]
    public async Task Drain_gives_all_that_a_silo_has_to_the_others_and_says_what_it_moved()
    {
        await using var first = await SiloProcess.StartAsync(primary: null, "--name", "first");
        await using var second = await SiloProcess.StartAsync(first, "--name", "second");
        string[] cluster = ["--cluster", first.Gateway];
        await CommandResult.SucceedAsync(["generate", .. cluster, "--model", Inputs.Model, "--tokens", "2,1,0", "--steps", "1"]);

        var moves = (await CommandResult.SucceedAsync(["drain", .. cluster, "second", "--json"])).Json.GetProperty("moves").EnumerateArray().ToList();

        Assert.NotEmpty(moves);
        Assert.All(moves, move => Assert.Equal(("second", "first"), (move.GetProperty("from").GetString(), move.GetProperty("to").GetString())));
        var heads = (await CommandResult.SucceedAsync(["status", .. cluster, "--json"])).Json.GetProperty("heads").EnumerateArray().ToList();
        Assert.Equal(9, heads.Count);
        Assert.All(heads, head => Assert.Equal("first", head.GetProperty("silo").GetString()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Moves_that_were_made_are_shown_when_others_cannot_be(bool asJson)
    {
        await using var first = await SiloProcess.StartAsync(
            primary: null, new Dictionary<string, string> { ["HeadCluster__MemoryLimitBytes"] = "500000" }, "--name", "first");
        await using var second = await SiloProcess.StartAsync(first, "--name", "second");
        string[] cluster = ["--cluster", first.Gateway];
        await CommandResult.SucceedAsync(["move", .. cluster, $"{Inputs.Model}/0/1", "second"]);
        await CommandResult.SucceedAsync(["move", .. cluster, $"{Large}/0/0", "second"]);

        var drain = await CommandResult.RunAsync(["drain", .. cluster, "second", .. asJson ? ["--json"] : Array.Empty<string>()]);

        Assert.Equal(2, drain.ExitCode);
        Assert.StartsWith("error: ", Assert.Single(drain.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        if (asJson)
        {
            Assert.Equal($"{Inputs.Model}/0/1", Assert.Single(drain.Json.GetProperty("moves").EnumerateArray()).GetProperty("head").GetString());
        }
        else
        {
            Assert.StartsWith($"  {Inputs.Model}/0/1: second → first, ", Assert.Single(drain.Output.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
    }
}
