using System.Globalization;
using System.Net;
using CsCheck;
using HeadCluster.Scheduling;

namespace HeadCluster.Tests.Scheduling;

/// <summary>Problems to plan: silos and heads as they might be.</summary>
internal static class Fleet
{
    public const string Model = "m";

    public static readonly RequestShape Prompt = new(512);

    /// <summary>A link on which nothing takes time.</summary>
    public static readonly SiloLink NoLink = new(TimeSpan.Zero, double.PositiveInfinity);

    /// <summary>What two silos of one core each on one machine have between them.</summary>
    public static readonly SiloLink Loopback = new(TimeSpan.FromMicroseconds(150), 1e9);

    public static readonly IPlanStrategy Measured = new MeasuredStrategy();

    /// <summary>How many of the large ones a test looks at: a plan of one may take a second.</summary>
    public static readonly int LargeFleets =
        int.Parse(Environment.GetEnvironmentVariable("HEADCLUSTER_LARGE_FLEETS") ?? "25", CultureInfo.InvariantCulture);

    /// <summary>
    /// Small fleets, few enough heads to try every plan: silos of any speed and 1 to 3 threads, heads of one size or of any, threads that begin
    /// at once or late, speeds that they sustain or not, answers as fast as the heads or slower, links that hardly count or count more than
    /// computing does, memory for all on one silo or hardly for all on all.
    /// </summary>
    public static Gen<PlanProblem> Small { get; } =
        from silos in Gen.Int[1, 4]
        from layers in Gen.Int[1, 2]
        from inLayer in Gen.Int[1, silos == 4 ? 6 / layers : 8 / layers]
        from alike in Gen.Bool
        from heads in (alike ? Gen.Int[10, 30].Select(size => Enumerable.Repeat(size, layers * inLayer).ToArray()) : Gen.Int[10, 30].Array[layers * inLayer])
        from speeds in Gen.Double[0.5, 3].Array[silos]
        from threads in Gen.Int[1, 3].Array[silos]
        from slowdowns in Gen.Frequency((1, Gen.Const(1d)), (1, Gen.Double[1, 2])).Array[silos]
        from starts in Gen.Frequency((1, Gen.Const(0)), (1, Gen.Int[0, 200])).Array[silos]
        from shares in Gen.Frequency((1, Gen.Const(1d)), (1, Gen.Double[0.1, 1])).Array[silos]
        from room in Gen.Double[0.25, 3]
        from memory in Gen.Double[0.3, 1].Array[silos]
        from megabytes in Gen.Int[0, 20]
        from gigabytesPerSecond in Gen.Double[0.1, 10]
        from roundTrip in Gen.Int[0, 2000]
        from own in Gen.Double[0, 10]
        from projection in Gen.Double[0, 30]
        from kilobytes in Gen.Int[0, 30]
        select Problem(
            layers,
            [.. heads.Select(size => Head(size * 1e8, bytes: size * 1000, outputBytes: size * kilobytes * 1000))],
            [.. speeds.Select((speed, silo) => Silo(silo, threads[silo], speed * 1e10, (long)(memory[silo] * room * heads.Sum() * 1000) + 1000)
                with { StartTime = TimeSpan.FromMilliseconds(starts[silo]), AnswerSlowdown = slowdowns[silo], SustainedShare = shares[silo] })],
            new CoordinatorLoad(1000, megabytes * 1_000_000L, own * 1e8, 0, 0, 0, ProjectionOperations: projection * 1e8),
            new SiloLink(TimeSpan.FromMicroseconds(roundTrip), gigabytesPerSecond * 1e9));

    /// <summary>Fleets of many silos with many heads each, where sending costs nothing.</summary>
    public static Gen<PlanProblem> Large { get; } =
        from silos in Gen.Int[5, 60]
        from layers in Gen.Int[1, 3]
        from inLayer in Gen.Int[silos * 10, silos * 20]
        from alike in Gen.Bool
        from heads in (alike ? Gen.Int[10, 30].Select(size => Enumerable.Repeat(size, layers * inLayer).ToArray()) : Gen.Int[10, 30].Array[layers * inLayer])
        from speeds in Gen.Double[0.5, 3].Array[silos]
        from threads in Gen.Int[1, 3].Array[silos]
        select Problem(
            layers,
            [.. heads.Select(size => Head(size * 1e8, bytes: size * 1000))],
            [.. speeds.Select((speed, silo) => Silo(silo, threads[silo], speed * 1e10, long.MaxValue))],
            new CoordinatorLoad(0, 0, 0, 0, 0, 0),
            NoLink);

    public static PlanProblem Problem(int layers, HeadLoad[] heads, SiloCapacity[] silos, CoordinatorLoad coordinator, SiloLink link) => new()
    {
        Model = Model,
        Shape = Prompt,
        Heads = [.. heads.Select((head, index) => head with { Head = new HeadId(Model, index / (heads.Length / layers), index % (heads.Length / layers)) })],
        Silos = silos,
        Coordinator = coordinator,
        Links = new SiloLinks(link),
    };

    /// <summary>A layer of heads that are all alike on silos that are all alike.</summary>
    public static PlanProblem Uniform(int heads, int silos, long memoryBytes = long.MaxValue) => Problem(
        1,
        [.. Enumerable.Repeat(Head(1e9, bytes: 1000), heads)],
        [.. Enumerable.Range(0, silos).Select(silo => Silo(silo, memoryBytes: memoryBytes))],
        new CoordinatorLoad(0, 0, 0, 0, 0, 0),
        NoLink);

    public static HeadLoad Head(double operations, long bytes = 0, long outputBytes = 0) => new(default, bytes, 0, operations, 0, outputBytes);

    public static SiloCapacity Silo(int index, int threads = 1, double operationsPerSecond = 1e10, long memoryBytes = long.MaxValue) => new(
        SiloAddress.New(IPAddress.Loopback, 1000 + index, 1), $"silo-{index}", threads, operationsPerSecond, 1e10, memoryBytes, TimeSpan.FromMicroseconds(20));

    /// <summary>Index of the silo of each head in a plan.</summary>
    public static int[] Places(this HeadPlan plan, PlanProblem problem) =>
        Array.ConvertAll(plan.Heads, place => IndexOf(problem, place.Silo));

    /// <summary>Number of heads on each silo, in the order of the silos.</summary>
    public static int[] Split(this HeadPlan plan) => Array.ConvertAll(plan.Silos, silo => silo.Heads);

    /// <summary>The problem after a plan was carried out.</summary>
    public static PlanProblem After(this PlanProblem problem, HeadPlan plan) =>
        problem with { Present = plan.Places(problem), PresentCoordinator = IndexOf(problem, plan.Coordinator) };

    /// <summary>The problem without one of its silos; heads that were there are nowhere.</summary>
    public static PlanProblem Without(this PlanProblem problem, int silo) => problem with
    {
        Silos = [.. problem.Silos.Where((_, index) => index != silo)],
        Present = [.. problem.Present!.Select(index => Renumber(index, silo))],
        PresentCoordinator = Renumber(problem.PresentCoordinator, silo),
        HasLost = problem.Present!.Append(problem.PresentCoordinator).Contains(silo),
    };

    /// <summary>Heads that were somewhere and are to be elsewhere.</summary>
    public static int Moves(this PlanProblem problem, HeadPlan plan) =>
        problem.Present!.Zip(plan.Places(problem)).Count(place => place.First >= 0 && place.First != place.Second);

    private static int Renumber(int index, int gone) => index == gone ? -1 : index > gone ? index - 1 : index;

    private static int IndexOf(PlanProblem problem, SiloAddress silo) => problem.Silos.Select(each => each.Silo).ToList().IndexOf(silo);
}
