using System.Globalization;
using HeadCluster.Grains;
using HeadCluster.Hosting;
using HeadCluster.Kernels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.Scheduling;

/// <summary>From what silos report to a plan for a model.</summary>
internal sealed class ModelPlanner
{
    /// <summary>What asking one head costs beside its computation: measured on the layer of nano-gpt, whose heads compute for less.</summary>
    private static readonly TimeSpan CallTime = TimeSpan.FromMicroseconds(6);

    /// <summary>
    /// And what asking another silo costs beside the round trip of a small message: the relay's part, there and here.
    /// </summary>
    private static readonly TimeSpan FanOutTime = TimeSpan.FromMicroseconds(50);

    /// <summary>Links of which nothing is known yet, as between two machines of one rack.</summary>
    private static readonly SiloLink UsualLink = new(TimeSpan.FromMicroseconds(300), 1e9);

    private readonly ModelCatalog _models;
    private readonly IClusterMembershipService _members;
    private readonly Dictionary<string, IPlanStrategy> _strategies;
    private readonly string _defaultStrategy;
    private readonly string? _pinnedFile;

    public ModelPlanner(
        ModelCatalog models,
        IClusterMembershipService members,
        IEnumerable<IPlanStrategy> strategies,
        IOptions<HeadClusterOptions> options,
        IHostEnvironment environment)
    {
        _models = models;
        _members = members;
        _strategies = strategies.ToDictionary(strategy => strategy.Name, StringComparer.OrdinalIgnoreCase);
        _defaultStrategy = options.Value.Scheduling.Strategy;
        _pinnedFile = options.Value.Scheduling.PinnedFile is { } file ? Path.GetFullPath(file, environment.ContentRootPath) : null;
    }

    /// <summary>The strategy of a name, or the one that is configured.</summary>
    /// <exception cref="HeadClusterException">There is none of this name, or its file cannot be read.</exception>
    public IPlanStrategy Strategy(string? name)
    {
        name ??= _defaultStrategy;
        if (_strategies.TryGetValue(name, out var strategy))
        {
            return strategy;
        }

        // Read each time, so that what is changed in it holds for the next plan.
        return name.Equals(PlanStrategies.Pinned, StringComparison.OrdinalIgnoreCase)
            ? PinnedStrategy.Read(_pinnedFile ?? throw HeadClusterException.InvalidInput(
                $"strategy {PlanStrategies.Pinned} needs a file; set {HeadClusterOptions.Section}:Scheduling:PinnedFile"))
            : throw HeadClusterException.InvalidInput(
                $"there is no strategy '{name}'; this cluster knows {string.Join(", ", _strategies.Values.Select(known => known.Name).Append(PlanStrategies.Pinned).Order(StringComparer.Ordinal))}");
    }

    /// <summary>The requests that the silos served lately, or else a prompt of the model's own length, up to 128.</summary>
    /// <param name="model">The model.</param>
    /// <param name="profiles">What silos reported.</param>
    /// <param name="last">The plan that is in force; null if there is none.</param>
    /// <exception cref="HeadClusterException">There is no such model.</exception>
    public RequestShape Shape(string model, IEnumerable<SiloProfile> profiles, HeadPlan? last)
    {
        var served = profiles.Aggregate(default(ServedRows), (sum, profile) => sum + profile.Served);
        return served.Typical(last?.Shape.Phase) ?? new RequestShape(Math.Min(128, _models.Open(model).Configuration.MaxSequenceLength));
    }

    /// <summary>What a plan for a model depends on.</summary>
    /// <param name="model">The model.</param>
    /// <param name="shape">The requests to plan for.</param>
    /// <param name="profiles">What silos reported. Those that are draining get nothing.</param>
    /// <param name="present">Where the heads are now, if not where the profiles say.</param>
    /// <param name="last">The plan that was in force: what it had on silos that are not there any more is lost. Null if there was none.</param>
    /// <exception cref="HeadClusterException">There is no such model, or no silo.</exception>
    public PlanProblem Problem(string model, RequestShape shape, IReadOnlyList<SiloProfile> profiles, HeadPlan? present = null, HeadPlan? last = null)
    {
        var configuration = _models.Open(model).Configuration;
        if (shape.Rows < 1 || shape.Rows > configuration.MaxSequenceLength)
        {
            throw HeadClusterException.InvalidInput(string.Create(
                CultureInfo.InvariantCulture, $"a plan for requests of {shape.Rows} rows; model '{model}' takes 1 to {configuration.MaxSequenceLength}"));
        }

        var usable = profiles.Where(profile => !profile.IsDraining).OrderBy(profile => profile.Silo).ToArray();
        if (usable.Length == 0)
        {
            throw new HeadClusterException(HeadClusterErrorKind.Unavailable, $"no silo is left for model '{model}': all are draining");
        }

        var indices = usable.Select((profile, index) => (profile.Silo, index)).ToDictionary(entry => entry.Silo, entry => entry.index);

        // What heads keep of sequences has memory of its own (SequenceCaches), and where that is full nothing fails.
        var heads = Array.ConvertAll(ModelLoads.Heads(model, configuration, shape), head => head with { StateBytes = 0 });
        var efficiency = Efficiency(usable);
        return new PlanProblem
        {
            Model = model,
            Shape = shape,
            Heads = heads,
            Silos = [.. usable.Select(profile => Capacity(profile, efficiency))],
            Coordinator = ModelLoads.Coordinator(IsUsedWhole(profiles) ? configuration : configuration with { Transformer = null }, shape),
            Links = new SiloLinks(UsualLink, Links(usable, indices)),
            Absent = [.. _members.CurrentSnapshot.Members.Values.Select(member => member.Name).Except(usable.Select(profile => profile.Name), StringComparer.Ordinal)],
            Present = Places(heads, present, usable, indices),
            PresentCoordinator = PresentCoordinator(present, usable, indices),
            HasLost = HasLost(profiles, last, indices),
            IsPreliminary = IsPreliminary(heads, usable),
        };
    }

    /// <summary>The plan of a posted one's strategy for the silos that are left; null if they have not the memory.</summary>
    public HeadPlan? PlanWithout(PostedPlan posted, IReadOnlyCollection<SiloAddress> gone)
    {
        var left = posted.Profiles.Where(profile => !gone.Contains(profile.Silo)).ToArray();
        try
        {
            var problem = Problem(posted.Plan.Model, posted.Plan.Shape, left, present: posted.Plan, last: posted.Plan);
            return HeadPlanner.Plan(problem, Strategy(posted.Plan.Strategy));
        }
        catch (HeadClusterException)
        {
            return null;
        }
    }

    private static bool HasLost(IReadOnlyList<SiloProfile> profiles, HeadPlan? last, Dictionary<SiloAddress, int> indices) =>
        profiles.Any(profile => profile.IsDraining && profile.Heads.Length + profile.Coordinators.Length > 0)
        || (last is not null && last.Heads.Select(place => place.Silo).Append(last.Coordinator).Any(silo => !indices.ContainsKey(silo)));

    // Heads that compute for less than a thread is worth never show what their silo's speed is.
    private static bool IsPreliminary(IReadOnlyList<HeadLoad> heads, SiloProfile[] usable) =>
        heads.Any(head => head.Operations >= ComputePool.InlineOperations)
        && usable.Any(profile => profile.Measured is not null)
        && usable.Any(profile => profile.Measured is null && profile.Heads.Length > 0);

    // Who asks for single layers has nothing but attention computed here.
    private static bool IsUsedWhole(IReadOnlyList<SiloProfile> profiles) =>
        profiles.Any(profile => profile.Coordinators.Any(coordinator => coordinator.Type == TransformerGrain.Type));

    // How much of what kernels do undisturbed the silos reach with the requests they serve: of one that has not been asked, the
    // same is expected.
    private static double Efficiency(SiloProfile[] profiles) =>
        profiles.Where(profile => profile.Measured is not null).Select(profile => profile.Measured!.Value / profile.Calibrated).DefaultIfEmpty(1).Max();

    private static SiloCapacity Capacity(SiloProfile profile, double efficiency)
    {
        var speed = profile.Measured ?? (profile.Calibrated * efficiency);
        return new SiloCapacity(
            profile.Silo,
            profile.Name,
            profile.Threads,
            speed,
            profile.ReadBytesPerSecond,
            profile.MemoryBytes,
            CallTime,
            FanOutTime,
            profile.Start,
            profile.AnswerSlowdown ?? 1,
            Math.Min(1, (profile.Sustained ?? speed) / speed));
    }

    // What requests take to travel, of one on which none did as much of what messages say as on the best of the others.
    private static Dictionary<(int From, int To), SiloLink> Links(SiloProfile[] profiles, Dictionary<SiloAddress, int> indices)
    {
        var slowdown = profiles.SelectMany(profile => profile.Links).Min(link => link.Slowdown) ?? 1;
        var links = new Dictionary<(int, int), SiloLink>();
        foreach (var profile in profiles)
        {
            foreach (var link in profile.Links)
            {
                if (indices.TryGetValue(link.To, out var to))
                {
                    var times = link.Slowdown ?? slowdown;
                    links[(indices[profile.Silo], to)] = new SiloLink(link.RoundTrip * times, link.BytesPerSecond / times);
                }
            }
        }

        return links;
    }

    private static int[] Places(IReadOnlyList<HeadLoad> heads, HeadPlan? present, SiloProfile[] profiles, Dictionary<SiloAddress, int> indices)
    {
        var places = present is null
            ? profiles.SelectMany(profile => profile.Heads.Select(head => new HeadPlace(head, profile.Silo)))
            : present.Heads;
        var silos = new Dictionary<HeadId, int>();
        foreach (var place in places)
        {
            silos[place.Head] = indices.GetValueOrDefault(place.Silo, -1);
        }

        return [.. heads.Select(head => silos.GetValueOrDefault(head.Head, -1))];
    }

    private static int PresentCoordinator(HeadPlan? present, SiloProfile[] profiles, Dictionary<SiloAddress, int> indices)
    {
        if (present is not null)
        {
            return indices.GetValueOrDefault(present.Coordinator, -1);
        }

        var most = profiles.MaxBy(profile => profile.Coordinators.Length);
        return most is { Coordinators.Length: > 0 } ? indices[most.Silo] : -1;
    }
}
