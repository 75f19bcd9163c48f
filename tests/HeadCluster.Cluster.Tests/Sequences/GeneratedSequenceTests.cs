using HeadCluster.Grains;

namespace HeadCluster.Tests.Sequences;

public sealed class GeneratedSequenceTests
{
    private static readonly SiloAddress Silo = SiloAddress.FromParsableString("127.0.0.1:1@1");

    private readonly GeneratedSequence _sequence = new(capacity: 9);

    [Fact]
    public void What_comes_after_the_positions_that_are_kept_goes_on_with_them()
    {
        Assert.Null(_sequence.Rest);
        Assert.Equal(new CachedSequence(_sequence.Id, Past: 0, Capacity: 9), _sequence.Whole);

        Compute(positions: 4, wentOn: false);

        Assert.Equal(new CachedSequence(_sequence.Id, Past: 4, Capacity: 9), _sequence.Rest);
    }

    [Fact]
    public void After_two_losses_in_a_row_nothing_is_to_be_kept()
    {
        Compute(positions: 4, wentOn: false);
        _sequence.Lose();
        Compute(positions: 5, wentOn: false);
        Assert.NotNull(_sequence.Rest);

        _sequence.Lose();

        Assert.Null(_sequence.Whole);
        Assert.Null(_sequence.Rest);
        Compute(positions: 6, wentOn: false);
        Assert.Null(_sequence.Rest);
    }

    [Fact]
    public void Losses_between_which_it_went_on_are_those_of_silos_that_died()
    {
        for (var position = 4; position < 8; position += 2)
        {
            Compute(position, wentOn: false);
            Compute(position + 1, wentOn: true);
            _sequence.Lose();
        }

        Assert.NotNull(_sequence.Rest);
    }

    [Fact]
    public void Where_something_is_kept_is_known_unless_a_pass_did_not_end()
    {
        Assert.Equal([], _sequence.Silos!);
        _sequence.Begin();
        Assert.Null(_sequence.Silos);

        Compute(positions: 4, wentOn: false);

        Assert.Equal([Silo], _sequence.Silos!);
    }

    private void Compute(int positions, bool wentOn)
    {
        _sequence.Begin();
        _sequence.Keep(positions, wentOn, [[new HeadReport(new HeadId("m", 0, 0), Silo, default, default, default)]]);
    }
}
