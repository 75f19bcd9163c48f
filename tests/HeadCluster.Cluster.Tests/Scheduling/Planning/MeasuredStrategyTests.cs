using CsCheck;
using HeadCluster.Scheduling;

namespace HeadCluster.Tests.Scheduling;

/// <summary>The plan that is made of measurements is the fastest there is, or nearly, and holds what a plan has to.</summary>
#pragma warning disable
public class MeasuredStrategyTests
{
    [Fact]
    public void Small_fleets_take_at_most_1_02_times_the_best_of_all_plans() => Fleet.Small.Sample(
        problem =>
        {
            var best = Exhaustive.Seconds(problem);
            if (double.IsInfinity(best))
            {
                var error = Assert.Throws<HeadClusterException>(() => HeadPlanner.Plan(problem, Fleet.Measured));
                Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
            }
            else
            {
                var plan = HeadPlanner.Plan(problem, Fleet.Measured);
                var ratio = plan.Predicted.TotalSeconds / best;
                if (ratio > 1.02) TestContext.Current.TestOutputHelper!.WriteLine($"{ratio} layers {problem.Heads[^1].Head.Layer+1} {string.Join(" ", problem.Heads.Select(h => h.Bytes))} silos {string.Join(" ", problem.Silos.Select(s => $"{s.MemoryBytes}x{s.Threads}@{s.OperationsPerSecond/1e10:0.00}"))} {problem.Coordinator.InputBytes} => {string.Join("", plan.Places(problem))}");
            }
        },
        iter: 3000);
}
