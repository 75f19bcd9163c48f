using System.Runtime.ExceptionServices;
using HeadCluster.Grains;

namespace HeadCluster.Scheduling;

/// <summary>What of a plan could not be moved. The rest of it is moved all the same.</summary>
internal sealed class MoveFailures
{
    private readonly HashSet<HeadId> _heads = [];
    private readonly HashSet<SiloAddress> _silos = [];
    private Exception? _first;

    /// <summary>Silos that did not answer: each move to one would take as long as a call may.</summary>
    public IReadOnlySet<SiloAddress> Silos => _silos;

    /// <summary>Heads that could not be moved.</summary>
    public IReadOnlyCollection<HeadId> Heads => _heads;

    /// <param name="head">The head; null for a coordinator.</param>
    /// <param name="to">Where it was to go.</param>
    /// <param name="exception">Why it did not.</param>
    public void Add(HeadId? head, SiloAddress to, Exception exception)
    {
        _first ??= exception;
        if (head is { } moved)
        {
            _heads.Add(moved);
        }

        // What happens to a move that its target was prepared for is told in words of HeadCluster's own.
        if (exception is not HeadClusterException && SiloLoss.Is(exception))
        {
            _silos.Add(to);
        }
    }

    /// <summary>Whether a head is not to be moved there once more.</summary>
    public bool Stop(HeadId head, SiloAddress to) => _heads.Contains(head) || _silos.Contains(to);

    /// <summary>Throws what went wrong first, if anything did.</summary>
    public void Throw()
    {
        if (_first is not null)
        {
            ExceptionDispatchInfo.Throw(_first);
        }
    }
}
