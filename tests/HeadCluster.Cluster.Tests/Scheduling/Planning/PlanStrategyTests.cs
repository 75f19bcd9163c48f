using CsCheck;
using HeadCluster.Scheduling;

namespace HeadCluster.Tests.Scheduling;

/// <summary>The strategies that do not measure, and one's own.</summary>
public class PlanStrategyTests
{
    [Fact]
    public void Even_gives_every_silo_as_many_heads_of_each_layer_give_or_take_one() => Gen.Select(Gen.Int[1, 20], Gen.Int[1, 4], Gen.Int[1, 9]).Sample((heads, layers, silos) =>
    {
        var problem = Fleet.Problem(layers, [.. Enumerable.Repeat(Fleet.Head(1), heads * layers)], Fleet.Uniform(1, silos).Silos.ToArray(), new CoordinatorLoad(0, 0, 0, 0, 0, 0), Fleet.NoLink);
        var plan = HeadPlanner.Plan(problem, new EvenStrategy());
        foreach (var layer in plan.Places(problem).Chunk(heads))
        {
            Assert.All(Enumerable.Range(0, silos), silo => Assert.InRange(layer.Count(place => place == silo), heads / silos, (heads + silos - 1) / silos));
        }

        // What is left over of the layers is spread as well.
        Assert.InRange(plan.Split().Max() - plan.Split().Min(), 0, 1);
    });

    [Fact]
    public void Even_goes_around_silos_that_are_full()
    {
        var problem = Fleet.Uniform(6, 3);
        problem = problem with { Silos = [problem.Silos[0], problem.Silos[1] with { MemoryBytes = 1999 }, problem.Silos[2]] };
        Assert.Equal(1, HeadPlanner.Plan(problem, new EvenStrategy()).Split()[1]);
    }

    [Fact]
    public void Even_and_capacity_move_no_head_that_need_not()
    {
        var problem = Fleet.Uniform(6, 3) with { Present = [2, 2, 0, 0, 0, -1], PresentCoordinator = 2 };
        foreach (IPlanStrategy strategy in new IPlanStrategy[] { new EvenStrategy(), new CapacityStrategy() })
        {
            var plan = HeadPlanner.Plan(problem, strategy);
            Assert.Equal([2, 2, 2], plan.Split());
            Assert.Equal(1, problem.Moves(plan));
            Assert.Equal(problem.Silos[2].Silo, plan.Coordinator);
        }
    }

    [Fact]
    public void What_is_now_has_no_price_where_not_all_that_may_be_asked_for_fits()
    {
        var problem = Fleet.Uniform(6, 3) with { Present = [2, 2, 0, 0, 0, 0], PresentCoordinator = 2 };
        Assert.Equal([4, 0, 2], PresentStrategy.Plan(problem)!.Split());

        problem = problem with { Silos = [problem.Silos[0] with { MemoryBytes = 3999 }, problem.Silos[1], problem.Silos[2]] };
        Assert.Null(PresentStrategy.Plan(problem));
    }

    [Fact]
    public void Capacity_goes_by_threads_alone()
    {
        var problem = Fleet.Uniform(12, 2) with { Silos = [Fleet.Silo(0, threads: 1, operationsPerSecond: 9e10), Fleet.Silo(1, threads: 3)] };
        Assert.Equal([3, 9], HeadPlanner.Plan(problem, new CapacityStrategy()).Split());
    }

    [Fact]
    public void Even_and_capacity_refuse_what_does_not_fit()
    {
        foreach (IPlanStrategy strategy in new IPlanStrategy[] { new EvenStrategy(), new CapacityStrategy() })
        {
            var error = Assert.Throws<HeadClusterException>(() => HeadPlanner.Plan(Fleet.Uniform(5, 2, 2000), strategy));
            Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
            Assert.Contains("1,000 bytes", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Pinned_heads_go_where_the_file_says_the_nearest_rule_first()
    {
        var problem = Fleet.Problem(2, [.. Enumerable.Repeat(Fleet.Head(1), 6)], [.. Fleet.Uniform(1, 3).Silos], new CoordinatorLoad(0, 0, 0, 0, 0, 0), Fleet.NoLink);
        var strategy = PinnedStrategy.Parse("""{ "coordinator": "silo-1", "heads": { "*": "silo-2", "1/*": "silo-1", "1/2": "silo-0" } }""", "plan.json");
        var plan = HeadPlanner.Plan(problem, strategy);
        Assert.Equal([2, 2, 2, 1, 1, 0], plan.Places(problem));
        Assert.Equal(problem.Silos[1].Silo, plan.Coordinator);
        Assert.Contains("plan.json", plan.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "heads": { "*": "silo-9" } }""", "names silo 'silo-9', which is not there; expected one of silo-0, silo-1")]
    [InlineData("""{ "coordinator": "x", "heads": { "*": "silo-0" } }""", "names silo 'x'")]
    [InlineData("""{ "heads": { "0/0": "silo-0" } }""", "pins head m/0/1 nowhere")]
    [InlineData("""{ "heads": { "0-0": "silo-0" } }""", "pins '0-0'; expected layer/head, layer/* or *")]
    [InlineData("""{ "heads": {} }""", "says nothing about heads")]
    [InlineData("""{ "head": { "*": "silo-0" } }""", "is not a plan")]
    [InlineData("[]", "is not a plan")]
    public void Pinned_refuses_a_file_that_is_wrong(string json, string words)
    {
        var error = Assert.Throws<HeadClusterException>(() => HeadPlanner.Plan(Fleet.Uniform(2, 2), PinnedStrategy.Parse(json, "plan.json")));
        Assert.Equal(HeadClusterErrorKind.InvalidInput, error.Kind);
        Assert.StartsWith("plan.json ", error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void What_is_pinned_to_a_silo_that_is_absent_goes_where_it_is_done_first_and_the_rest_stays_pinned()
    {
        // Silo 2 is three times as fast as silo 0 and has nothing yet.
        var problem = Fleet.Uniform(4, 3) with { Absent = ["gone", "going"], Present = [1, 1, 1, 1], PresentCoordinator = 0 };
        problem = problem with { Silos = [problem.Silos[0], problem.Silos[1], problem.Silos[2] with { OperationsPerSecond = 3e10 }] };
        var strategy = PinnedStrategy.Parse("""{ "coordinator": "gone", "heads": { "*": "going", "0/0": "silo-0", "0/3": "silo-2" } }""", "plan.json");

        var plan = HeadPlanner.Plan(problem, strategy);

        Assert.Equal([0, 2, 2, 2], plan.Places(problem));
        Assert.Equal(problem.Silos[0].Silo, plan.Coordinator);
        Assert.Equal("plan.json says so, without going and gone", plan.Reason);

        problem = problem with { Silos = [problem.Silos[0] with { MemoryBytes = 1000 }, problem.Silos[1] with { MemoryBytes = 500 }, problem.Silos[2] with { MemoryBytes = 2000 }] };
        var error = Assert.Throws<HeadClusterException>(() => HeadPlanner.Plan(problem, strategy));
        Assert.Equal((HeadClusterErrorKind.OutOfMemory, "model 'm' does not fit as plan.json places it: no other silo has room for what belongs to going and gone"), (error.Kind, error.Message));
    }

    [Fact]
    public void Pinned_without_a_file_says_so() => Assert.Contains(
        "no-such-plan.json cannot be read",
        Assert.Throws<HeadClusterException>(() => PinnedStrategy.Read("no-such-plan.json")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void A_strategy_of_ones_own_is_priced_and_held_to_the_memory()
    {
        var problem = Fleet.Uniform(4, 2, memoryBytes: 3000);
        var plan = HeadPlanner.Plan(problem, new Own([0, 0, 0, 1]));
        Assert.Equal("Own", plan.Strategy);
        Assert.Equal(new PlanPricing(problem, 0).RequestSeconds([0, 0, 0, 1]), plan.Predicted.TotalSeconds, 1e-6);

        var error = Assert.Throws<HeadClusterException>(() => HeadPlanner.Plan(problem, new Own([0, 0, 0, 0])));
        Assert.Contains("silo silo-0 would hold 4,000 bytes, 1,000 bytes more than it has", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => HeadPlanner.Plan(problem, new Own([0, 0, 0, 2])));
        Assert.Throws<ArgumentException>(() => HeadPlanner.Plan(problem, new Own([0, 0, 0])));
    }

    private sealed class Own(int[] silos) : IPlanStrategy
    {
        public string Name => "Own";

        public PlanDecision Decide(PlanProblem problem) => new(0, silos, "");
    }
}
