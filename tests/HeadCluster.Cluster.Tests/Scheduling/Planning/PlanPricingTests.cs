using HeadCluster.Scheduling;

namespace HeadCluster.Tests.Scheduling;

/// <summary>The prices, term by term.</summary>
public class PlanPricingTests
{
    private const double Head = 0.1;
    private const double Call = 0.00002;

    [Fact]
    public void Heads_share_the_threads_of_a_silo_and_the_longest_is_not_split()
    {
        // 1e9 operations at 1e10 a second.
        Assert.Equal(3 * (Head + Call), Seconds(Fleet.Uniform(3, 1), 0, 0, 0), 1e-9);
        var two = Fleet.Uniform(3, 1) with { Silos = [Fleet.Silo(0, threads: 2)] };
        Assert.Equal(1.5 * (Head + Call), Seconds(two, 0, 0, 0), 1e-9);
        var eight = Fleet.Uniform(3, 1) with { Silos = [Fleet.Silo(0, threads: 8)] };
        Assert.Equal(Head + Call, Seconds(eight, 0, 0, 0), 1e-9);
    }

    [Fact]
    public void Asking_another_silo_costs_the_same_however_many_heads_it_is_asked_for()
    {
        var problem = Fleet.Uniform(3, 2);
        problem = problem with { Silos = [.. problem.Silos.Select(silo => silo with { FanOutTime = TimeSpan.FromMilliseconds(1) })] };
        Assert.Equal(3 * (Head + Call), Seconds(problem, 0, 0, 0), 1e-9);
        Assert.Equal((2 * (Head + Call)) + 0.001, Seconds(problem, 0, 1, 1), 1e-9);
    }

    [Fact]
    public void Heads_of_a_silo_that_answers_slowly_take_longer_if_another_asks_for_them()
    {
        var problem = Fleet.Uniform(3, 2);
        problem = problem with { Silos = [.. problem.Silos.Select(silo => silo with { AnswerSlowdown = 1.5 })] };
        Assert.Equal(3 * (Head + Call), Seconds(problem, 0, 0, 0), 1e-9);
        Assert.Equal(2 * ((1.5 * Head) + Call), Seconds(problem, 0, 1, 1), 1e-9);
    }

    [Fact]
    public void Threads_that_begin_late_delay_all_that_their_silo_does()
    {
        var start = TimeSpan.FromMilliseconds(7);
        var problem = Fleet.Uniform(3, 2);
        var other = problem with { Silos = [problem.Silos[0], problem.Silos[1] with { StartTime = start }] };
        Assert.Equal(3 * (Head + Call), Seconds(other, 0, 0, 0), 1e-9);
        Assert.Equal((2 * (Head + Call)) + 0.007, Seconds(other, 0, 1, 1), 1e-9);
        var own = problem with { Silos = [problem.Silos[0] with { StartTime = start }, problem.Silos[1]] };
        Assert.Equal((2 * (Head + Call)) + 0.007, Seconds(own, 0, 0, 1), 1e-9);
        Assert.Equal((3 * (Head + Call)), Seconds(own, 1, 1, 1), 1e-9);

        // Heads that are computed where they are asked wake no thread.
        var small = own with { Heads = [.. own.Heads.Select(head => head with { Operations = 1e6 })] };
        Assert.Equal(2 * (0.0001 + Call), Seconds(small, 0, 0, 1), 1e-9);

        // The coordinator's threads begin when x has been sent, or later: 10 MB at 2 GB/s.
        var sending = own with { Coordinator = own.Coordinator with { InputBytes = 10_000_000 } };
        Assert.Equal((2 * (Head + Call)) + 0.007, Seconds(sending, 0, 0, 1), 1e-9);
        var sendingMore = own with { Coordinator = own.Coordinator with { InputBytes = 20_000_000 } };
        Assert.Equal((2 * (Head + Call)) + 0.01, Seconds(sendingMore, 0, 0, 1), 1e-9);
    }

    [Fact]
    public void A_layer_takes_no_less_than_what_each_silo_sustains()
    {
        var problem = Fleet.Uniform(3, 2);
        problem = problem with { Silos = [problem.Silos[0], problem.Silos[1] with { StartTime = TimeSpan.FromMilliseconds(250), SustainedShare = 0.4 }] };

        // One head is done soon after the start, and that as often as the silo sustains; two are not.
        Assert.Equal(0.25 + Head + Call, Seconds(problem, 0, 0, 1), 1e-9);
        Assert.Equal(2 * (Head + Call) / 0.4, Seconds(problem, 0, 1, 1), 1e-9);

        // What it coordinates counts too: the output projection with its heads, and what follows that by itself.
        var whole = problem with { Coordinator = new CoordinatorLoad(0, 0, 3e9, 0, 5e9, 0, ProjectionOperations: 2e9) };
        Assert.Equal((Head + Call + 0.2 + 0.3 + 0.5) / 0.4, new PlanPricing(whole, 1).RequestSeconds([0, 0, 1]), 1e-9);
        Assert.Equal((2 * (Head + Call)) + 0.2 + 0.3 + 0.5, Seconds(whole, 0, 0, 1), 1e-9);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(0, 0.4)]
    [InlineData(1, 0.4)]
    public void As_many_heads_are_done_within_a_time_as_take_it(int silo, double share)
    {
        var problem = Fleet.Uniform(5, 2);
        problem = problem with
        {
            Silos = [.. problem.Silos.Select(each => each with { StartTime = TimeSpan.FromMilliseconds(70), SustainedShare = share })],
            Coordinator = problem.Coordinator with { ProjectionOperations = 5e8 },
        };
        var pricing = new PlanPricing(problem, 0);
        for (var heads = 1; heads <= 5; heads++)
        {
            var works = new SiloWork[2];
            pricing.Collect(Enumerable.Repeat(silo, heads).ToArray(), ..heads, works);
            var sending = pricing.Sending(works);

            // A little more than they take, so that rounding loses none of them.
            var seconds = pricing.FinishSeconds(silo, works[silo], sending) + 1e-9;
            Assert.Equal(heads, pricing.HeadsWithin(silo, seconds, problem.Heads[0], sending), 1e-6);
        }
    }

    [Fact]
    public void A_head_takes_its_arithmetic_or_its_threads_share_of_the_memory_whichever_is_slower()
    {
        var problem = Fleet.Uniform(1, 1);
        problem = problem with { Heads = [problem.Heads[0] with { ReadBytes = 4e9 }] };
        Assert.Equal(0.4 + Call, Seconds(problem, 0, 0), 1e-9);
        Assert.Equal(0.8 + Call, Seconds(problem with { Silos = [Fleet.Silo(0, threads: 2)] }, 0, 0), 1e-9);
    }

    [Fact]
    public void Layers_follow_each_other_and_the_coordinators_work_follows_the_slowest_silo()
    {
        var problem = Fleet.Problem(
            2, [.. Enumerable.Repeat(Fleet.Head(1e9), 4)], [Fleet.Silo(0), Fleet.Silo(1)], new CoordinatorLoad(0, 0, 2e9, 0, 5e9, 0), Fleet.NoLink);
        Assert.Equal((2 * (Head + Call)) + (Head + Call) + (2 * 0.2) + 0.5, Seconds(problem, 0, 0, 0, 1), 1e-9);

        // Rows are split over threads, and the row of a decode step into columns.
        var threads = problem with { Silos = [Fleet.Silo(0, threads: 4), Fleet.Silo(1)] };
        Assert.Equal(0.05, new PlanPricing(threads, 0).LayerSeconds, 1e-9);
        Assert.Equal(0.1, new PlanPricing(threads with { Shape = new RequestShape(2) }, 0).LayerSeconds, 1e-9);
        Assert.Equal(0.05, new PlanPricing(threads with { Shape = new RequestShape(512, RequestPhase.Decode) }, 0).LayerSeconds, 1e-9);
    }

    [Fact]
    public void X_is_sent_to_one_silo_after_the_other_and_computing_begins_with_the_first_block()
    {
        // 10 MiB of x at 1 MiB/ms; a head takes 100 ms, and only the last one's z travels when all is computed.
        const long MiB = 1 << 20;
        var load = new CoordinatorLoad(0, 10 * MiB, 0, 0, 0, 0);
        var link = new SiloLink(TimeSpan.FromMilliseconds(3), MiB * 1000d);
        var problem = Fleet.Problem(1, [.. Enumerable.Repeat(Fleet.Head(1e9, outputBytes: MiB), 3)], [Fleet.Silo(0), Fleet.Silo(1), Fleet.Silo(2)], load, link);
        var copy = 8 * MiB / 2e9;
        Assert.Equal(0.003 + 0.002 + Head + Call + copy + 0.001, Seconds(problem, 1, 1, 1) - (2 * (Head + Call)), 1e-9);
        Assert.Equal(0.003 + 0.004 + (2 * (Head + Call)) + copy + 0.001, Seconds(problem, 1, 1, 2), 1e-9);

        // What is computed in less time than the rest of x takes waits for it.
        var quick = problem with { Heads = [.. problem.Heads.Select(head => head with { Operations = 1e7, OutputBytes = 0 })] };
        Assert.Equal(0.003 + 0.004 + 0.016, Seconds(quick, 0, 1, 2), 1e-9);

        // Sending takes a thread of the coordinator.
        Assert.Equal((2 * (Head + Call)) + (10 * MiB / 2e9), Seconds(problem, 0, 0, 1), 1e-9);
    }

    [Fact]
    public void The_coordinator_projects_what_has_come_while_others_compute_and_then_only_what_came_last()
    {
        // 0.05 s of projection for each head; outputs of 1 MiB travel one by one.
        var problem = Fleet.Problem(
            1,
            [.. Enumerable.Repeat(Fleet.Head(1e9, outputBytes: 1 << 20), 4)],
            [Fleet.Silo(0), Fleet.Silo(1)],
            new CoordinatorLoad(0, 0, 0, 0, 0, 0, ProjectionOperations: 2e9),
            Fleet.NoLink);
        Assert.Equal((2 * (Head + Call)) + 0.2, Seconds(problem, 0, 0, 1, 1), 1e-9);
        Assert.Equal((3 * (Head + Call)) + 0.05, Seconds(problem, 0, 1, 1, 1), 1e-9);

        // Small ones travel together, at the end.
        var small = problem with { Heads = [.. problem.Heads.Select(head => head with { OutputBytes = 1 << 14 })] };
        Assert.Equal((3 * (Head + Call)) + 0.15, Seconds(small, 0, 1, 1, 1), 1e-9);
    }

    private static double Seconds(PlanProblem problem, params int[] silos) => new PlanPricing(problem, 0).RequestSeconds(silos);
}
