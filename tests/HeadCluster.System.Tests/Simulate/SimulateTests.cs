namespace HeadCluster.System.Tests.Simulate;

public sealed class SimulateTests
{
    private static readonly string[] Small = ["simulate", "--silos", "20", "--heads", "600", "--minutes", "6"];

    [Fact]
    public async Task A_fleet_that_loses_and_gains_silos_stays_near_the_lower_bound()
    {
        var json = (await CommandResult.SucceedAsync([.. Small, "--seed", "3", "--json"])).Json;
        Assert.True(json.GetProperty("planSeconds").GetDouble() > 0);
        Assert.InRange(json.GetProperty("makespanOverLowerBound").GetDouble(), 1, 1.25);
        Assert.InRange(json.GetProperty("meanMakespanOverLowerBound").GetDouble(), 1, 1.25);
        Assert.InRange(json.GetProperty("headsMoved").GetInt32(), 1, 600);

        // Each with the same weights and state.
        var (bytes, rest) = Math.DivRem(json.GetProperty("bytesMoved").GetInt64(), json.GetProperty("headsMoved").GetInt32());
        Assert.True(bytes > 0 && rest == 0);
        Assert.InRange(json.GetProperty("recoverySeconds").GetDouble(), 0.1, 10);
        Assert.InRange(json.GetProperty("peakBytes").GetInt64(), 1, 1 << 30);
        Assert.Equal((3, 3), (json.GetProperty("deaths").GetInt32(), json.GetProperty("joins").GetInt32()));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_run_and_another_seed_another()
    {
        Assert.Equal(await RunAsync("7"), await RunAsync("7"));
        Assert.NotEqual(await RunAsync("7"), await RunAsync("8"));

        static async Task<(double, int, long, double)> RunAsync(string seed)
        {
            var json = (await CommandResult.SucceedAsync([.. Small, "--seed", seed, "--json"])).Json;
            return (
                json.GetProperty("meanMakespanOverLowerBound").GetDouble(),
                json.GetProperty("headsMoved").GetInt32(),
                json.GetProperty("bytesMoved").GetInt64(),
                json.GetProperty("recoverySeconds").GetDouble());
        }
    }

    [Fact]
    public async Task One_silo_and_one_head_are_a_fleet_too()
    {
        var text = await CommandResult.SucceedAsync("simulate", "--silos", "1", "--heads", "1", "--minutes", "1");
        Assert.Contains("heads moved", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Numbers_out_of_range_are_refused()
    {
        (await CommandResult.RunAsync("simulate", "--silos", "0")).AssertRefused("--silos is 0; expected 1 to 10000");
        (await CommandResult.RunAsync("simulate", "--heads", "many")).AssertRefused("'many' is not a whole number");
    }
}
