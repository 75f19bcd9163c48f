using HeadCluster.Tests;
namespace HeadCluster.System.Tests.Cluster;

public sealed class TwoSiloTests : IClassFixture<TwoSilos>
{
    private readonly TwoSilos _silos;

    public TwoSiloTests(TwoSilos silos) => _silos = silos;

    [Fact]
    public async Task Status_shows_both_silos_and_the_shipped_model()
    {
        var result = await CommandResult.SucceedAsync("status", "--cluster", _silos.Second.Gateway, "--json");

        var silos = result.Json.GetProperty("silos").EnumerateArray();
        Assert.Equal(["first", "second"], silos.Select(silo => silo.GetProperty("name").GetString()).Order());
        Assert.All(silos, silo => Assert.Equal("Active", silo.GetProperty("status").GetString()));
        Assert.Contains(result.Json.GetProperty("models").EnumerateArray(), model => model.GetProperty("name").GetString() == Inputs.Model);
    }

    [Fact]
    public async Task Attend_gives_the_same_bytes_through_either_gateway_and_embedded()
    {
        using var folder = new TemporaryDirectory();
        Inputs.Write(folder.File("x.npy"), rows: 11);
        string[] attend = ["attend", "--model", Inputs.Model, "--layer", "2", "--input", folder.File("x.npy"), "--output"];

        await CommandResult.SucceedAsync([.. attend, folder.File("embedded.npy")]);
        await CommandResult.SucceedAsync([.. attend, folder.File("first.npy"), "--cluster", _silos.First.Gateway]);
        await CommandResult.SucceedAsync([.. attend, folder.File("second.npy"), "--cluster", _silos.Second.Gateway]);

        Assert.Equal(File.ReadAllBytes(folder.File("embedded.npy")), File.ReadAllBytes(folder.File("first.npy")));
        Assert.Equal(File.ReadAllBytes(folder.File("embedded.npy")), File.ReadAllBytes(folder.File("second.npy")));
    }

    [Fact]
    public async Task Generate_works_across_processes_and_status_then_shows_heads_on_both_silos()
    {
        var generated = await CommandResult.SucceedAsync(
            "generate", "--cluster", _silos.First.Gateway, "--model", Inputs.Model, "--tokens", "2,1,0,2,1,0", "--steps", "6");
        Assert.Equal("0 0 1 1 2 2\n", generated.Output);

        var status = await CommandResult.SucceedAsync("status", "--cluster", _silos.First.Gateway, "--json");
        var heads = status.Json.GetProperty("heads").EnumerateArray().Where(head => head.GetProperty("model").GetString() == Inputs.Model).ToList();
        Assert.Equal(9, heads.Count);
        Assert.Equal(["first", "second"], heads.Select(head => head.GetProperty("silo").GetString()).Distinct().Order());
        Assert.All(heads, head => Assert.True(head.GetProperty("requests").GetInt64() >= 6));
    }

    [Fact]
    public async Task Refusals_of_a_distant_silo_are_one_line_too()
    {
        using var folder = new TemporaryDirectory();
        var result = await CommandResult.RunAsync(
            "attend", "--cluster", _silos.First.Gateway, "--model", Inputs.Model, "--layer", "3", "--input", Inputs.Write(folder.File("x.npy"), rows: 1));

        result.AssertRefused("no layer 3");
    }

    [Fact]
    public async Task Models_cannot_be_added_to_a_running_cluster()
    {
        var result = await CommandResult.RunAsync("status", "--cluster", _silos.First.Gateway, "--models", "mine=./mine");

        result.AssertRefused("--models");
    }
}
