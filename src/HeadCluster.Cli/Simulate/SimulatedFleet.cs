using HeadCluster.Models;
using HeadCluster.Scheduling;

namespace HeadCluster.Cli.Simulate;

/// <summary>Silos, and one layer of heads on them: decode steps of a context that is long enough for the heads to count.</summary>
/// <remarks>
/// A step reads a head's keys and values from memory (64 MiB), while x is small (8 KiB): what is looked at is how heads are spread
/// over silos, rather than one coordinator's uplink.
/// </remarks>
internal sealed class SimulatedFleet
{
    private const int Positions = 131_072;
    private static readonly SiloLink Link = new(TimeSpan.FromMicroseconds(100), 1.25e9);

    private readonly List<SimulatedSilo> _silos = [];
    private readonly HeadLoad[] _heads;
    private readonly Random _random;
    private readonly double _shareBytes;

    /// <param name="silos">Silos at first.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="random">Where silos come from.</param>
    public SimulatedFleet(int silos, int heads, Random random)
    {
        _random = random;
        _heads = ModelLoads.Heads(
            "simulated",
            new ModelConfiguration
            {
                LayerCount = 1,
                ModelDim = 2048,
                HeadCount = heads,
                KvHeadCount = heads,
                HeadDim = 64,
                ValueDim = 64,
                MaxSequenceLength = Positions,
                Causal = true,
                Scale = 0.125f,
            },
            Request);
        _shareBytes = _heads.Sum(head => (double)head.Bytes) / silos;
        for (var silo = 0; silo < silos; silo++)
        {
            Join();
        }
    }

    /// <summary>What heads are placed for.</summary>
    public static RequestShape Request { get; } = new(Positions, RequestPhase.Decode);

    /// <summary>All silos that ever were.</summary>
    public IReadOnlyList<SimulatedSilo> Silos => _silos;

    /// <summary>The heads.</summary>
    public IReadOnlyList<HeadLoad> Heads => _heads;

    /// <summary>Adds a silo.</summary>
    public void Join() => _silos.Add(new SimulatedSilo(_silos.Count, _random, Math.Max(_shareBytes, _heads[0].Bytes)));

    /// <summary>Whether the others have the memory for all heads if one dies.</summary>
    public bool CanLose(SimulatedSilo silo) =>
        _silos.Where(other => other.IsAlive && other != silo).Sum(other => other.MemoryBytes / _heads[0].Bytes) >= _heads.Length;

    /// <summary>What there is to plan now.</summary>
    /// <param name="places">Index of the silo of each head among all that ever were; -1 for one that has lost its silo, and before the first plan.</param>
    /// <param name="coordinator">Index of the silo that coordinates, likewise.</param>
    public PlanProblem Problem(int[] places, int coordinator)
    {
        var indices = new int[_silos.Count];
        var silos = new List<SiloCapacity>();
        for (var silo = 0; silo < indices.Length; silo++)
        {
            indices[silo] = _silos[silo].IsAlive ? silos.Count : -1;
            if (_silos[silo].IsAlive)
            {
                silos.Add(_silos[silo].Capacity);
            }
        }

        return new PlanProblem
        {
            Model = "simulated",
            Shape = Request,
            Heads = _heads,
            Silos = silos,
            Coordinator = new CoordinatorLoad(0, InputBytes: 2048 * sizeof(float), 0, 0, 0, 0),
            Links = new SiloLinks(Link),
            Present = Array.ConvertAll(places, Index),
            PresentCoordinator = Index(coordinator),
            HasLost = places.Append(coordinator).Contains(-1),
        };

        int Index(int silo) => silo < 0 ? -1 : indices[silo];
    }

    /// <summary>What a step would take if work could be split at will and nothing had to be sent: heads ÷ heads a second, in seconds.</summary>
    public static double LowerBound(PlanProblem problem)
    {
        var pricing = new PlanPricing(problem, 0);
        return problem.Heads.Count / Enumerable.Range(0, problem.Silos.Count).Sum(silo => problem.Silos[silo].Threads / pricing.HeadSeconds(silo, problem.Heads[0]));
    }

    /// <summary>What moving a head takes.</summary>
    public TimeSpan MoveTime(int head) => TimeSpan.FromSeconds(_heads[head].Bytes / Link.BytesPerSecond);
}
