using HeadCluster.Scheduling;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Scheduling.Measuring;

/// <summary>What plans are made for: the requests that take most of the time.</summary>
public sealed class ServedRequestShapesTests
{
    private const string Model = "model";

    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void A_model_that_was_not_asked_has_no_typical_request() => Assert.Null(new ServedRequestShapes(_clock).Of(Model).Typical());

    [Fact]
    public void A_request_of_many_rows_counts_more_than_many_of_few()
    {
        var served = new ServedRequestShapes(_clock);
        Add(served, times: 10, new RequestShape(10));
        Add(served, times: 1, new RequestShape(1000));

        // (10 · 10² + 1000²) / (10 · 10 + 1000) rows.
        Assert.Equal(new RequestShape(910), served.Of(Model).Typical());
    }

    [Theory]
    [InlineData(9, RequestPhase.Prefill)]
    [InlineData(11, RequestPhase.Decode)]
    public void A_step_of_generation_counts_as_ten_rows_of_a_prompt(int steps, RequestPhase expected)
    {
        var served = new ServedRequestShapes(_clock);
        Add(served, times: 1, new RequestShape(100));
        Add(served, steps, new RequestShape(500, RequestPhase.Decode));

        Assert.Equal(new RequestShape(expected == RequestPhase.Decode ? 500 : 100, expected), served.Of(Model).Typical());
    }

    [Theory]
    [InlineData(19, RequestPhase.Prefill, RequestPhase.Prefill)]
    [InlineData(21, RequestPhase.Prefill, RequestPhase.Decode)]
    [InlineData(6, RequestPhase.Decode, RequestPhase.Decode)]
    [InlineData(4, RequestPhase.Decode, RequestPhase.Prefill)]
    public void What_heads_are_placed_for_stays_unless_the_other_takes_twice_as_long(int steps, RequestPhase planned, RequestPhase expected)
    {
        var served = new ServedRequestShapes(_clock);
        Add(served, times: 1, new RequestShape(100));
        Add(served, steps, new RequestShape(500, RequestPhase.Decode));

        Assert.Equal(expected, served.Of(Model).Typical(planned)!.Phase);
    }

    [Fact]
    public void Steps_attend_to_what_they_do_on_average_and_those_of_all_silos_count()
    {
        var (one, other) = (new ServedRequestShapes(_clock), new ServedRequestShapes(_clock));
        Add(one, times: 2, new RequestShape(100, RequestPhase.Decode));
        Add(other, times: 1, new RequestShape(400, RequestPhase.Decode));

        Assert.Equal(new RequestShape(200, RequestPhase.Decode), (one.Of(Model) + other.Of(Model)).Typical());
    }

    [Fact]
    public void What_was_served_long_ago_counts_less()
    {
        var served = new ServedRequestShapes(_clock);
        Add(served, times: 1, new RequestShape(1000));
        _clock.Advance(TimeSpan.FromMinutes(5));
        Add(served, times: 1, new RequestShape(10));

        Assert.Equal(new RequestShape(10), served.Of(Model).Typical());
    }

    private static void Add(ServedRequestShapes served, int times, RequestShape request)
    {
        for (var i = 0; i < times; i++)
        {
            served.Add(Model, request);
        }
    }
}
