using System.Text.Json;

namespace HeadCluster.Scheduling;

/// <summary>Every head where a file says.</summary>
/// <remarks>
/// <code>{ "coordinator": "silo-1", "heads": { "0/3": "silo-2", "1/*": "silo-1", "*": "silo-3" } }</code>
/// A head is looked for as layer/head, then as its layer, then as <c>*</c>. Without a coordinator the silo that coordinates now
/// does so, or else the one where a request takes least. What belongs to a silo that drains or has left goes to the others, where it is done
/// first, until that silo is there again.
/// </remarks>
public sealed class PinnedStrategy : IPlanStrategy
{
    private const string Any = "*";

    private readonly string _source;
    private readonly string? _coordinator;
    private readonly Dictionary<string, string> _heads;

    private PinnedStrategy(string source, string? coordinator, Dictionary<string, string> heads)
    {
        _source = source;
        _coordinator = coordinator;
        _heads = heads;
    }

    /// <inheritdoc/>
    public string Name => PlanStrategies.Pinned;

    /// <inheritdoc/>
    public bool IsBinding => true;

    /// <summary>Reads a file.</summary>
    /// <exception cref="HeadClusterException">It cannot be read or says something else.</exception>
    public static PinnedStrategy Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw HeadClusterException.InvalidInput($"{path} cannot be read: {exception.Message}");
        }
    }

    /// <summary>Reads a file's text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What errors call it.</param>
    /// <exception cref="HeadClusterException">It says something else.</exception>
    public static PinnedStrategy Parse(string json, string source)
    {
        PinnedFile? file;
        try
        {
            file = JsonSerializer.Deserialize(json, PinnedJson.Default.PinnedFile);
        }
        catch (JsonException exception)
        {
            throw HeadClusterException.InvalidInput($"{source} is not a plan: {exception.Message}");
        }

        if (file?.Heads is not { Count: > 0 } heads)
        {
            throw HeadClusterException.InvalidInput($$"""{{source}} says nothing about heads; expected { "heads": { "0/3": "silo-2", "1/*": "silo-1", "*": "silo-3" } }""");
        }

        if (heads.Keys.FirstOrDefault(key => !IsPattern(key)) is { } wrong)
        {
            throw HeadClusterException.InvalidInput($"{source} pins '{wrong}'; expected layer/head, layer/* or *");
        }

        return new PinnedStrategy(source, file.Coordinator, heads);
    }

    /// <inheritdoc/>
    public PlanDecision Decide(PlanProblem problem)
    {
        var names = new Dictionary<string, int>();
        for (var silo = 0; silo < problem.Silos.Count; silo++)
        {
            names.TryAdd(problem.Silos[silo].Name, silo);
        }

        var absent = new SortedSet<string>(StringComparer.Ordinal);
        var places = _heads.ToDictionary(pin => pin.Key, pin => Find(pin.Value));
        var silos = new int[problem.Heads.Count];
        for (var index = 0; index < silos.Length; index++)
        {
            var head = problem.Heads[index].Head;
            if (!places.TryGetValue(FormattableString.Invariant($"{head.Layer}/{head.KvHead}"), out silos[index])
                && !places.TryGetValue(FormattableString.Invariant($"{head.Layer}/{Any}"), out silos[index])
                && !places.TryGetValue(Any, out silos[index]))
            {
                throw HeadClusterException.InvalidInput($"{_source} pins head {head} nowhere; expected \"{head.Layer}/{head.KvHead}\", \"{head.Layer}/{Any}\" or \"{Any}\"");
            }
        }

        var coordinators = Coordinators(problem, _coordinator is { } name ? Find(name) : -1);
        return absent.Count == 0
            ? new PlanDecision(coordinators.DefaultIfEmpty().MinBy(silo => new PlanPricing(problem, silo).RequestSeconds(silos)), silos, $"{_source} says so")
            : Settle(problem with { Present = silos }, coordinators, string.Join(" and ", absent));

        // -1 for one that is not there now.
        int Find(string silo)
        {
            if (names.TryGetValue(silo, out var index))
            {
                return index;
            }

            if (!problem.Absent.Contains(silo))
            {
                throw HeadClusterException.InvalidInput($"{_source} names silo '{silo}', which is not there; expected one of {string.Join(", ", names.Keys)}");
            }

            absent.Add(silo);
            return -1;
        }
    }

    // Heads that have a place keep it.
    private PlanDecision Settle(PlanProblem problem, IEnumerable<int> coordinators, string absent)
    {
        var layers = new PlanLayers(problem.Heads);
        var settled = coordinators
            .Select(silo => SetFilling.TrySettle(problem, layers, new PlanPricing(problem, silo)))
            .OfType<PlanAssignment>()
            .MinBy(assignment => new PlanPricing(problem, assignment.Coordinator).RequestSeconds(assignment.Silos))
            ?? throw new HeadClusterException(
                HeadClusterErrorKind.OutOfMemory, $"model '{problem.Model}' does not fit as {_source} places it: no other silo has room for what belongs to {absent}");
        return new PlanDecision(settled.Coordinator, settled.Silos.ToArray(), $"{_source} says so, without {absent}");
    }

    private static IEnumerable<int> Coordinators(PlanProblem problem, int pinned) =>
        pinned >= 0 ? [pinned] : problem.PresentCoordinator >= 0 ? [problem.PresentCoordinator] : SiloSets.Coordinators(problem);

    private static bool IsPattern(string key) => key == Any
        || (key.Split('/') is [var layer, var head] && IsIndex(layer) && (head == Any || IsIndex(head)));

    private static bool IsIndex(string text) => text.Length is > 0 and <= 9 && text.All(char.IsAsciiDigit);
}
