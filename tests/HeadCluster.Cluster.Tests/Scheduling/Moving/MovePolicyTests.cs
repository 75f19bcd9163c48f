using HeadCluster.Scheduling;

namespace HeadCluster.Tests.Scheduling;

/// <summary>Moves are few, paced and worth it; those that must be are made at once.</summary>
public class MovePolicyTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddHours(1);

    [Fact]
    public void What_a_file_says_is_carried_out_whatever_it_gains()
    {
        var problem = Fleet.Uniform(4, 2) with { Present = [0, 1, 0, 1], PresentCoordinator = 0 };
        var pinned = HeadPlanner.Plan(problem, PinnedStrategy.Parse("""{ "heads": { "*": "silo-1" } }""", "plan.json"));

        Assert.Equal(PlanAdoption.All, Judge(problem, pinned));
        Assert.Equal(PlanAdoption.None, Judge(problem, Plan(problem, 1, 1, 1, 1)));
        Assert.Equal(PlanAdoption.None, Judge(problem with { Present = [1, 1, 1, 1] }, pinned));
    }

    [Fact]
    public void What_a_strategy_of_ones_own_says_is_binding_is_carried_out_whatever_it_gains()
    {
        var problem = Fleet.Uniform(4, 2) with { Present = [0, 1, 0, 1], PresentCoordinator = 0 };
        Assert.Equal(PlanAdoption.All, Judge(problem, HeadPlanner.Plan(problem, new Binding(0, [1, 1, 1, 1]))));
        Assert.Equal(PlanAdoption.None, Judge(problem, HeadPlanner.Plan(problem, new Given(0, [1, 1, 1, 1]))));
    }

    [Fact]
    public void A_plan_that_is_what_is_there_is_not_adopted()
    {
        var problem = Fleet.Uniform(4, 2) with { Present = [0, 1, 0, 1], PresentCoordinator = 0 };
        Assert.Equal(PlanAdoption.None, Judge(problem, Plan(problem, 0, 1, 0, 1)));
    }

    [Theory]
    [InlineData(9e9, PlanAdoption.None)]
    [InlineData(9.2e9, PlanAdoption.None)]
    [InlineData(8.8e9, PlanAdoption.All)]
    public void A_plan_is_adopted_if_it_gains_a_tenth(double operationsPerSecond, PlanAdoption expected)
    {
        // All on a silo that is slower by a tenth, more, or less: the gain is of the time now, and 9e9 against 1e10 is a hair below a tenth.
        var problem = Fleet.Uniform(4, 2) with
        {
            Silos = [Fleet.Silo(0, operationsPerSecond: operationsPerSecond), Fleet.Silo(1)],
            Present = [0, 0, 0, 0],
            PresentCoordinator = 0,
        };
        Assert.Equal(expected, Judge(problem, Plan(problem, 1, 1, 1, 1)));
    }

    [Fact]
    public void A_preliminary_plan_moves_nothing_but_heads_that_have_lost_their_silo()
    {
        var problem = Fleet.Uniform(4, 2) with { Present = [0, 0, 0, 0], PresentCoordinator = 0 };
        var plan = Plan(problem, 0, 0, 1, 1);
        Assert.Equal(PlanAdoption.All, Judge(problem, plan));
        Assert.Equal(PlanAdoption.None, Judge(problem with { IsPreliminary = true }, plan));
        Assert.Equal(PlanAdoption.Homeless, Judge(problem with { IsPreliminary = true, Present = [0, 0, 0, -1] }, plan));
    }

    [Fact]
    public void A_plan_with_another_coordinator_waits_until_all_of_its_heads_may_move()
    {
        var problem = Fleet.Uniform(4, 2) with
        {
            Silos = [Fleet.Silo(0), Fleet.Silo(1, operationsPerSecond: 9e10)],
            Present = [0, 0, 0, 0],
            PresentCoordinator = 0,
        };
        var plan = HeadPlanner.Plan(problem, new Given(1, [1, 1, 1, 1]));
        Assert.Equal(PlanAdoption.None, Judge(problem, plan, head => head == 3 ? Now.AddSeconds(-59) : null));
        Assert.Equal(PlanAdoption.All, Judge(problem, plan, head => head == 3 ? Now.AddSeconds(-60) : null));

        // With the same one, those move that may.
        plan = HeadPlanner.Plan(problem, new Given(0, [1, 1, 1, 1]));
        Assert.Equal(PlanAdoption.All, Judge(problem, plan, head => head == 3 ? Now.AddSeconds(-59) : null));
    }

    [Fact]
    public void Heads_that_have_lost_their_silo_move_all_at_once_and_the_others_stay()
    {
        var problem = Fleet.Uniform(6, 3) with { Present = [0, 1, -1, 0, -1, -1], PresentCoordinator = 0 };
        var plan = Plan(problem, 0, 1, 2, 2, 2, 1);
        Assert.Equal(PlanAdoption.Homeless, Judge(problem, plan));
        var moves = Next(problem, plan, PlanAdoption.Homeless, _ => Now);
        Assert.Equal([2, 4, 5], moves.Select(move => move.Index));
        Assert.All(moves, move => Assert.Null(move.From));
        Assert.Equal([problem.Silos[2].Silo, problem.Silos[2].Silo, problem.Silos[1].Silo], moves.Select(move => move.To));
    }

    [Fact]
    public void A_silo_gets_one_head_at_a_time_and_none_while_one_is_on_its_way()
    {
        var problem = Fleet.Uniform(6, 3) with { Present = [0, 0, 0, 0, 0, 0], PresentCoordinator = 0 };
        var plan = Plan(problem, 0, 0, 1, 1, 2, 2);
        Assert.Equal(PlanAdoption.All, Judge(problem, plan));
        Assert.Equal([2, 4], Next(problem, plan, PlanAdoption.All, _ => null).Select(move => move.Index));
        Assert.Equal([4], Next(problem, plan, PlanAdoption.All, _ => null, problem.Silos[1].Silo).Select(move => move.Index));
    }

    [Fact]
    public void A_head_that_has_just_moved_stays_for_a_minute()
    {
        var problem = Fleet.Uniform(4, 2) with { Present = [0, 0, 0, 0], PresentCoordinator = 0 };
        var plan = Plan(problem, 1, 1, 0, 0);
        Assert.Equal([1], Next(problem, plan, PlanAdoption.All, head => head == 0 ? Now.AddSeconds(-59) : null).Select(move => move.Index));
        Assert.Equal([0], Next(problem, plan, PlanAdoption.All, head => head == 0 ? Now.AddSeconds(-60) : null).Select(move => move.Index));
    }

    [Fact]
    public void Heads_of_the_silo_that_is_furthest_behind_move_first()
    {
        // The second layer's are behind by more.
        var problem = Fleet.Problem(2, [.. Enumerable.Repeat(Fleet.Head(1e9), 8)], [Fleet.Silo(0), Fleet.Silo(1)], new CoordinatorLoad(0, 0, 0, 0, 0, 0), Fleet.NoLink) with
        {
            Present = [0, 0, 0, 1, 0, 0, 0, 0],
            PresentCoordinator = 0,
        };
        Assert.Equal([6], Next(problem, Plan(problem, 0, 0, 1, 1, 0, 0, 1, 1), PlanAdoption.All, _ => null).Select(move => move.Index));
    }

    [Fact]
    public void A_target_without_room_waits_until_others_have_left_it()
    {
        var problem = Fleet.Uniform(4, 3, memoryBytes: 2000) with { Present = [0, 0, 1, 1], PresentCoordinator = 0 };
        var plan = Plan(problem, 1, 0, 2, 1);
        Assert.Equal([2], Next(problem, plan, PlanAdoption.All, _ => null).Select(move => move.Index));
        Assert.Equal([0], Next(problem with { Present = [0, 0, 2, 1] }, plan, PlanAdoption.All, _ => null).Select(move => move.Index));
    }

    [Fact]
    public void Nothing_moves_to_a_silo_that_has_gone_since()
    {
        var problem = Fleet.Uniform(4, 3) with { Present = [0, 0, 0, 0], PresentCoordinator = 0 };
        var plan = Plan(problem, 0, 1, 2, 2);
        Assert.Equal([1], Next(problem.Without(2), plan, PlanAdoption.All, _ => null).Select(move => move.Index));
    }

    private static HeadPlan Plan(PlanProblem problem, params int[] silos) => HeadPlanner.Plan(problem, new Given(problem.PresentCoordinator, silos));

    private static PlanAdoption Judge(PlanProblem problem, HeadPlan plan, Func<int, DateTimeOffset?>? lastMoved = null) =>
        MovePolicy.Judge(problem, plan, Now, [.. problem.Heads.Select((_, head) => lastMoved?.Invoke(head))]);

    private static IReadOnlyList<HeadMove> Next(
        PlanProblem problem, HeadPlan plan, PlanAdoption adoption, Func<int, DateTimeOffset?> lastMoved, params SiloAddress[] receiving) =>
        MovePolicy.Next(problem, plan, adoption, Now, [.. problem.Heads.Select((_, head) => lastMoved(head))], receiving.ToHashSet());

    private sealed class Given(int coordinator, int[] silos) : IPlanStrategy
    {
        public string Name => "Given";

        public PlanDecision Decide(PlanProblem problem) => new(coordinator, silos, "");
    }

    private sealed class Binding(int coordinator, int[] silos) : IPlanStrategy
    {
        public string Name => "Binding";

        public bool IsBinding => true;

        public PlanDecision Decide(PlanProblem problem) => new(coordinator, silos, "");
    }
}
