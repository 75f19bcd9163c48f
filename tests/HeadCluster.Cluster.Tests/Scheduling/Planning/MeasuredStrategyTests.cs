using CsCheck;
using HeadCluster.Scheduling;

namespace HeadCluster.Tests.Scheduling;

/// <summary>
/// The plan that is made of measurements is the fastest there is, or nearly, and holds what a plan has to. The long form, of as many large
/// fleets as it says, is <c>HEADCLUSTER_LARGE_FLEETS=300 dotnet test -c Release</c>.
/// </summary>
public class MeasuredStrategyTests
{
    [Fact]
    public void Small_fleets_take_at_most_1_02_times_the_best_of_all_plans() => Fleet.Small.Sample(
        problem =>
        {
            var best = Exhaustive.Seconds(problem);
            if (double.IsInfinity(best))
            {
                // No plan at all fits, and that is what is said.
                var error = Assert.Throws<HeadClusterException>(() => HeadPlanner.Plan(problem, Fleet.Measured));
                Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
                Assert.Contains("bytes", error.Message, StringComparison.Ordinal);
            }
            else
            {
                Assert.InRange(HeadPlanner.Plan(problem, Fleet.Measured).Predicted.TotalSeconds, best * 0.999, best * 1.02);
            }
        },
        iter: 3000);

    [Fact]
    public void Large_fleets_take_at_most_the_lower_bound_and_one_head_on_the_slowest_silo_used() => Fleet.Large.Sample(
        problem =>
        {
            var pricing = new PlanPricing(problem, 0);
            var plan = HeadPlanner.Plan(problem, Fleet.Measured);
            var places = plan.Places(problem);
            var threads = problem.Silos.Sum(silo => silo.Threads * silo.OperationsPerSecond);
            var bound = 0d;
            foreach (var layer in problem.Heads.Select((head, index) => (head, index)).GroupBy(each => each.head.Head.Layer))
            {
                bound += layer.Sum(each => each.head.Operations + (0.00002 * problem.Silos.Max(silo => silo.OperationsPerSecond))) / threads;
                bound += layer.Max(each => problem.Silos.Select((_, silo) => silo).Where(places.Contains).Max(silo => pricing.HeadSeconds(silo, each.head)));
            }

            Assert.InRange(plan.Predicted.TotalSeconds, 0, bound);
        },
        iter: Fleet.LargeFleets);

    [Fact]
    public void No_silo_gets_more_bytes_than_it_has() => Fleet.Small.Sample(
        problem =>
        {
            if (TryPlan(problem) is not { } plan)
            {
                return;
            }

            var used = new long[problem.Silos.Count];
            used[Array.FindIndex(plan.Silos, silo => silo.Silo.Equals(plan.Coordinator))] += problem.Coordinator.WeightBytes;
            foreach (var (silo, head) in plan.Places(problem).Zip(problem.Heads))
            {
                used[silo] += head.Bytes;
            }

            Assert.Equal(used, plan.Silos.Select(silo => silo.Bytes));
            Assert.All(plan.Silos, silo => Assert.InRange(silo.Bytes, 0, silo.MemoryBytes));
        },
        iter: 1000);

    [Fact]
    public void A_silo_that_leaves_moves_its_heads_and_at_most_five_per_cent_more()
    {
        Gen.Select(Fleet.Small.Where(problem => problem.Silos.Count > 1), Gen.Int[0, 100]).Sample(Check, iter: 900);
        Gen.Select(Fleet.Large, Gen.Int[0, 100]).Sample(Check, iter: Fleet.LargeFleets);

        static void Check(PlanProblem problem, int choice)
        {
            if (TryPlan(problem) is not { } before)
            {
                return;
            }

            var left = problem.After(before).Without(choice % problem.Silos.Count);
            if (TryPlan(left) is { } after && FitWithoutMoving(left))
            {
                Assert.InRange(left.Moves(after), 0, problem.Heads.Count * 0.05);
            }
        }
    }

    [Fact]
    public void Heads_that_were_never_anywhere_keep_no_other_from_a_better_place()
    {
        // Most of the heads were asked for so far, all on one silo.
        var problem = Fleet.Uniform(12, 2) with { Present = [0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1], PresentCoordinator = 0 };
        Assert.Equal([6, 6], HeadPlanner.Plan(problem, Fleet.Measured).Split());
        Assert.Equal([8, 4], HeadPlanner.Plan(problem with { HasLost = true }, Fleet.Measured).Split());
    }

    [Fact]
    public void A_plan_that_was_carried_out_stays()
    {
        Fleet.Small.Sample(Check, iter: 450);
        Fleet.Large.Sample(Check, iter: Fleet.LargeFleets);

        static void Check(PlanProblem problem)
        {
            if (TryPlan(problem) is { } plan)
            {
                var next = HeadPlanner.Plan(problem.After(plan), Fleet.Measured);
                Assert.Equal(plan.Heads, next.Heads);
                Assert.Equal(plan.Coordinator, next.Coordinator);
            }
        }
    }

    [Fact]
    public void A_move_that_gains_nothing_is_not_made()
    {
        // 4 and 4 heads are as fast as any split, whichever heads they are.
        var problem = Fleet.Uniform(8, 2) with { Present = [1, 0, 1, 0, 0, 1, 1, 0], PresentCoordinator = 1 };
        Assert.Equal(0, problem.Moves(HeadPlanner.Plan(problem, Fleet.Measured)));

        // 5 and 3 become 4 and 4 by one move.
        problem = problem with { Present = [1, 1, 1, 0, 0, 1, 1, 0] };
        Assert.Equal(1, problem.Moves(HeadPlanner.Plan(problem, Fleet.Measured)));
    }

    [Fact]
    public void The_coordinators_heads_come_first_as_far_as_that_costs_no_move()
    {
        // Silo 1 coordinates and is three times as fast: it gets 6 of 8 heads.
        var problem = Fleet.Uniform(8, 2);
        problem = problem with { Silos = [problem.Silos[0], problem.Silos[1] with { OperationsPerSecond = 3e10 }], PresentCoordinator = 1 };
        Assert.Equal([1, 1, 1, 1, 1, 1, 0, 0], Places(null));

        // Of the heads of the other the first come to it.
        Assert.Equal([1, 1, 1, 1, 0, 1, 1, 0], Places([0, 1, 0, 1, 0, 1, 1, 0]));
        Assert.Equal([1, 1, 1, 1, 1, 1, 0, 0], Places([0, 0, 0, 0, 0, 0, 0, 0]));

        // And of its own the last leave it.
        Assert.Equal([1, 1, 1, 1, 1, 1, 0, 0], Places([1, 1, 1, 1, 1, 1, 1, 1]));

        int[] Places(int[]? present) => HeadPlanner.Plan(problem with { Present = present }, Fleet.Measured).Places(problem);
    }

    [Fact]
    public void Another_silo_coordinates_if_that_gains_a_tenth_and_the_present_one_does_not_rest()
    {
        // All heads are alone with the coordinator, as links are slow; silo 1 is faster by a twentieth, or twice as fast.
        Assert.Equal(0, Coordinator(1.05e10, rests: false));
        Assert.Equal(1, Coordinator(2e10, rests: false));
        Assert.Equal(0, Coordinator(2e10, rests: true));

        static int Coordinator(double operationsPerSecond, bool rests)
        {
            var problem = Fleet.Problem(
                1,
                [.. Enumerable.Repeat(Fleet.Head(1e9), 4)],
                [Fleet.Silo(0), Fleet.Silo(1, operationsPerSecond: operationsPerSecond)],
                new CoordinatorLoad(0, InputBytes: 1 << 20, 0, 0, 0, 0),
                new SiloLink(TimeSpan.Zero, 1e6)) with
            {
                Present = [0, 0, 0, 0],
                PresentCoordinator = 0,
                CoordinatorRests = rests,
            };
            var plan = HeadPlanner.Plan(problem, Fleet.Measured);
            return plan.Coordinator.Equals(problem.Silos[0].Silo) ? 0 : 1;
        }
    }

    [Fact]
    public void A_gain_that_takes_longer_to_win_back_than_a_minute_is_left()
    {
        // One move saves a fifth of the time; it takes 1 s or, at a thousandth of the bandwidth, a quarter of an hour.
        var problem = Fleet.Uniform(8, 2) with
        {
            Heads = [.. Fleet.Uniform(8, 2).Heads.Select(head => head with { WeightBytes = 1_000_000_000 })],
            Present = [0, 0, 0, 0, 0, 1, 1, 1],
            PresentCoordinator = 0,
        };
        Assert.Equal(1, problem.Moves(HeadPlanner.Plan(problem with { Links = Link(1e9) }, Fleet.Measured)));
        Assert.Equal(0, problem.Moves(HeadPlanner.Plan(problem with { Links = Link(1e6) }, Fleet.Measured)));

        static SiloLinks Link(double bytesPerSecond) => new(new SiloLink(TimeSpan.Zero, bytesPerSecond));
    }

    [Fact]
    public void The_same_problem_gives_the_same_plan_in_whatever_order_links_were_measured() =>
        Gen.Select(Fleet.Small, Gen.Int[1, 100].Array[16]).Sample(
            (problem, speeds) =>
            {
                var silos = problem.Silos.Count;
                var pairs = Enumerable.Range(0, silos * silos).Select(pair => (From: pair / silos, To: pair % silos)).Where(pair => pair.From < pair.To).ToList();
                var links = pairs.ConvertAll(pair => KeyValuePair.Create(pair, new SiloLink(TimeSpan.FromMicroseconds(speeds[pair.To]), speeds[(4 * pair.From) + pair.To] * 1e8)));
                var plan = TryPlan(problem with { Links = new SiloLinks(Fleet.NoLink, new Dictionary<(int, int), SiloLink>(links)) });
                links.Reverse();
                var again = TryPlan(problem with { Links = new SiloLinks(Fleet.NoLink, new Dictionary<(int, int), SiloLink>(links)) });
                Assert.Equal(plan?.Heads, again?.Heads);
                Assert.Equal(plan?.Coordinator, again?.Coordinator);
                Assert.Equal(plan?.Reason, again?.Reason);
            },
            iter: 500);

    [Fact]
    public void A_faster_silo_or_more_memory_never_makes_requests_slower() => Gen.Select(Fleet.Small, Gen.Int[0, 3], Gen.Double[1, 3]).Sample(
        (problem, choice, factor) =>
        {
            if (TryPlan(problem) is not { } plan)
            {
                return;
            }

            var chosen = choice % problem.Silos.Count;
            var silo = problem.Silos[chosen];
            SiloCapacity[] better =
            [
                silo with { OperationsPerSecond = silo.OperationsPerSecond * factor },
                silo with { MemoryBytes = (long)(silo.MemoryBytes * factor) },
                silo with { Threads = silo.Threads + 1 },
            ];
            foreach (var capacity in better)
            {
                var other = HeadPlanner.Plan(problem with { Silos = [.. problem.Silos.Select((each, index) => index == chosen ? capacity : each)] }, Fleet.Measured);
                Assert.InRange(other.Predicted.TotalSeconds, 0, plan.Predicted.TotalSeconds * 1.02);
            }
        },
        iter: 300);

    [Fact]
    public void Twelve_heads_are_split_over_five_uneven_silos_by_their_speed()
    {
        var problem = Fleet.Problem(
            1,
            [.. Enumerable.Repeat(Fleet.Head(1e9), 12)],
            [Fleet.Silo(0, operationsPerSecond: 7e10), Fleet.Silo(1, operationsPerSecond: 3e10), Fleet.Silo(2), Fleet.Silo(3), Fleet.Silo(4, operationsPerSecond: 1e9)],
            new CoordinatorLoad(0, 0, 0, 0, 0, 0),
            Fleet.NoLink);
        var plan = HeadPlanner.Plan(problem, Fleet.Measured);
        Assert.Equal([7, 3, 1, 1, 0], plan.Split());
        Assert.StartsWith("4 of 5 silos are fastest here", plan.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_that_is_uneven_is_used_by_all_layers_alike()
    {
        // The fast silo has the memory for 6 of 16 heads: the best is 2, 1, 2 and 1 in the four layers or the like, not 4 and 2.
        var problem = Fleet.Problem(
            4,
            [.. Enumerable.Repeat(Fleet.Head(1e9, bytes: 1000), 16)],
            [Fleet.Silo(0), Fleet.Silo(1, operationsPerSecond: 4e10, memoryBytes: 6000)],
            new CoordinatorLoad(0, 0, 0, 0, 0, 0),
            Fleet.NoLink);
        var plan = HeadPlanner.Plan(problem, Fleet.Measured);
        Assert.Equal([10, 6], plan.Split());
        Assert.All(plan.Places(problem).Chunk(4), layer => Assert.InRange(layer.Sum(), 1, 2));
    }

    [Theory]
    [InlineData(5, 2, 2500, "1,000 bytes")]
    [InlineData(4, 2, 1500, "1,000 bytes too little")]
    [InlineData(2, 3, 900, "head m/0/0 takes 1,000 bytes, 100 bytes more than silo silo-0 has")]
    public void What_does_not_fit_is_refused_with_the_bytes_that_are_missing(int heads, int silos, long memoryBytes, string words)
    {
        var error = Assert.Throws<HeadClusterException>(() => HeadPlanner.Plan(Fleet.Uniform(heads, silos, memoryBytes), Fleet.Measured));
        Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
        Assert.Contains("model 'm'", error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_hundred_thousand_heads_on_a_thousand_silos_are_planned_within_a_gigabyte()
    {
        var speeds = new Random(1);
        var problem = Fleet.Problem(
            10,
            [.. Enumerable.Repeat(Fleet.Head(1e9, bytes: 1000), 100_000)],
            [.. Enumerable.Range(0, 1000).Select(silo => Fleet.Silo(silo, 1 + speeds.Next(8), 1e10 * (1 + speeds.NextDouble()), 1_000_000))],
            new CoordinatorLoad(0, 0, 0, 0, 0, 0),
            Fleet.NoLink);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var plan = HeadPlanner.Plan(problem, Fleet.Measured);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1L << 30);

        // And when a silo has left.
        var left = problem.After(plan).Without(7);
        before = GC.GetAllocatedBytesForCurrentThread();
        HeadPlanner.Plan(left, Fleet.Measured);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1L << 30);
    }

    // Whether the heads that are nowhere have room without any other making it, as many as they are, whatever their size, by the
    // largest; and the coordinator if it is nowhere, on any silo.
    private static bool FitWithoutMoving(PlanProblem problem)
    {
        var free = problem.Silos.Select(silo => silo.MemoryBytes).ToArray();
        for (var head = 0; head < problem.Heads.Count; head++)
        {
            if (problem.Present![head] is >= 0 and var silo)
            {
                free[silo] -= problem.Heads[head].Bytes;
            }
        }

        var coordinator = problem.Coordinator.WeightBytes;
        var largest = problem.Heads.Max(head => head.Bytes);
        return (problem.PresentCoordinator >= 0 || free.Any(bytes => bytes >= coordinator))
            && free.Sum(bytes => Math.Max(0, bytes - coordinator) / largest) >= problem.Present!.Count(silo => silo < 0);
    }

    private static HeadPlan? TryPlan(PlanProblem problem)
    {
        try
        {
            return HeadPlanner.Plan(problem, Fleet.Measured);
        }
        catch (HeadClusterException error) when (error.Kind == HeadClusterErrorKind.OutOfMemory)
        {
            return null;
        }
    }
}
