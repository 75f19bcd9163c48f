namespace HeadCluster.Grains;

/// <summary>The sequence of a generation, and what its heads keep of it.</summary>
/// <param name="capacity">Positions that it has in the end.</param>
internal sealed class GeneratedSequence(int capacity)
{
    /// <summary>Steps in a row for which something was lost: a silo may have died once, but there is no room for a sequence that is lost again.</summary>
    private const int MostLosses = 2;

    private readonly HashSet<SiloAddress> _silos = [];
    private bool _isWhereNobodyKnows;
    private int _past;
    private int _losses;

    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>Silos whose heads may keep something of it; null if any may, since a pass has begun and did not end.</summary>
    public IReadOnlyCollection<SiloAddress>? Silos => _isWhereNobodyKnows ? null : _silos;

    /// <summary>All rows of the sequence, to be kept; null if there is no room for it.</summary>
    public CachedSequence? Whole => _losses < MostLosses ? new CachedSequence(Id, Past: 0, capacity) : null;

    /// <summary>The rows after those that are kept; null if none are.</summary>
    public CachedSequence? Rest => _past > 0 && Whole is { } whole ? whole with { Past = _past } : null;

    /// <summary>Heads are asked to compute, wherever they are.</summary>
    public void Begin() => _isWhereNobodyKnows = true;

    /// <summary>Not all heads had what was before.</summary>
    public void Lose() => _losses++;

    /// <summary>Heads have computed, and keep all positions so far.</summary>
    /// <param name="positions">How many they are.</param>
    /// <param name="wentOn">Whether they had what was before.</param>
    /// <param name="layers">Where they are.</param>
    public void Keep(int positions, bool wentOn, HeadReport[][] layers)
    {
        _isWhereNobodyKnows = false;
        _past = positions;
        _losses = wentOn ? 0 : _losses;
        foreach (var layer in layers)
        {
            _silos.UnionWith(layer.Select(head => head.Silo));
        }
    }
}
