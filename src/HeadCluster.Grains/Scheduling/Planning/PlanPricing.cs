using HeadCluster.Grains;
using HeadCluster.Kernels;

namespace HeadCluster.Scheduling;

/// <summary>
/// What a request takes if a given silo coordinates: the layers one after the other, each as long as the slowest silo's part of
/// it, with what the coordinator has to do after that; docs/scheduling.md has the formulas. Times are in seconds. Immutable.
/// </summary>
/// <remarks>
/// Adding a head to a silo never makes a layer faster. The searches rely on it.
/// </remarks>
public sealed class PlanPricing
{
    /// <summary>
    /// What one thread sends or receives a second. Sending x to k silos keeps a thread of the coordinator busy for k times its size,
    /// and a silo computes less while the rest of x arrives. It is what loopback sockets and their buffers leave of a core; a real
    /// network's adapter copies in addition what it may, so that this is not more there.
    /// </summary>
    private const double CopyBytesPerSecond = 2e9;

    private readonly PlanProblem _problem;
    private readonly SiloPricing[] _silos;
    private readonly double _copySeconds;
    private readonly double _restCopySeconds;
    private readonly double _projectionSeconds;
    private readonly double _projectionPerByte;

    /// <summary>Prices a problem with one silo as the coordinator.</summary>
    /// <param name="problem">What is to be placed.</param>
    /// <param name="coordinator">Index of the silo that coordinates.</param>
    public PlanPricing(PlanProblem problem, int coordinator)
    {
        _problem = problem;
        Coordinator = coordinator;
        var input = problem.Coordinator.InputBytes;
        var first = Math.Min(input, TransferBlocks.FirstBlockBytes);
        _copySeconds = input / CopyBytesPerSecond;
        _restCopySeconds = (input - first) / CopyBytesPerSecond;

        // Smaller heads are computed on the thread that was asked.
        var wakes = problem.Heads.Any(head => head.Operations >= ComputePool.InlineOperations);
        _silos = new SiloPricing[problem.Silos.Count];
        for (var silo = 0; silo < _silos.Length; silo++)
        {
            _silos[silo] = silo == coordinator
                ? new SiloPricing(problem.Silos[silo] with { AnswerSlowdown = 1 }, wakes, new SiloLink(TimeSpan.Zero, double.PositiveInfinity), 0, 0)
                : new SiloPricing(problem.Silos[silo], wakes, problem.Links.Between(coordinator, silo), first, input - first);
        }

        _projectionSeconds = OwnSeconds(problem.Coordinator.ProjectionOperations, problem.Coordinator.ProjectionReadBytes);
        var share = problem.Silos[coordinator].SustainedShare;
        var layerBytes = problem.Heads.Sum(head => (double)head.OutputBytes) / Math.Max(1, PlanLayers.RangesOf(problem.Heads).Count());
        _projectionPerByte = layerBytes > 0 ? _projectionSeconds / layerBytes : 0;
        LayerSeconds = OwnSeconds(problem.Coordinator.LayerOperations, problem.Coordinator.LayerReadBytes) / share;
        OnceSeconds = OwnSeconds(problem.Coordinator.RequestOperations, problem.Coordinator.RequestReadBytes) / share;
    }

    /// <summary>Index of the silo that coordinates.</summary>
    public int Coordinator { get; }

    /// <summary>What the coordinator does in each layer after attention.</summary>
    public double LayerSeconds { get; }

    /// <summary>What the coordinator does once a request.</summary>
    public double OnceSeconds { get; }

    /// <summary>
    /// What one head takes on one of a silo's threads: its arithmetic or its share of the memory's bandwidth, whichever is slower,
    /// and the call.
    /// </summary>
    public double HeadSeconds(int silo, in HeadLoad head)
    {
        ref readonly var price = ref _silos[silo];
        return Math.Max(head.Operations * price.PerOperation, head.ReadBytes * price.PerReadByte) + price.Call;
    }

    /// <summary>What a request takes with the heads on these silos.</summary>
    /// <param name="silos">Index of the silo of each head.</param>
    public double RequestSeconds(ReadOnlySpan<int> silos)
    {
        var works = new SiloWork[_silos.Length];
        var seconds = OnceSeconds;
        foreach (var layer in PlanLayers.RangesOf(_problem.Heads))
        {
            Collect(silos, layer, works);
            seconds += HeadsSeconds(works) + LayerSeconds;
        }

        return seconds;
    }

    /// <summary>Computation and transfer of each silo in all layers.</summary>
    internal (double Compute, double Transfer)[] SiloSeconds(ReadOnlySpan<int> silos)
    {
        var sums = new (double Compute, double Transfer)[_silos.Length];
        var works = new SiloWork[_silos.Length];
        foreach (var layer in PlanLayers.RangesOf(_problem.Heads))
        {
            Collect(silos, layer, works);
            var sending = Sending(works);
            for (var silo = 0; silo < works.Length; silo++)
            {
                if (works[silo].Heads > 0)
                {
                    var compute = ComputeSeconds(silo, works[silo]);
                    sums[silo].Compute += compute;
                    sums[silo].Transfer += silo == Coordinator ? 0 : AnswerSeconds(silo, works[silo], sending) - compute;
                }
            }
        }

        return sums;
    }

    /// <summary>What each silo does of one layer; heads that are nowhere are left out.</summary>
    internal void Collect(ReadOnlySpan<int> silos, Range layer, Span<SiloWork> works)
    {
        works.Clear();
        for (var head = layer.Start.Value; head < layer.End.Value; head++)
        {
            if (silos[head] is >= 0 and var silo)
            {
                var load = _problem.Heads[head];
                works[silo] = works[silo].With(HeadSeconds(silo, load), load);
            }
        }
    }

    /// <summary>From the start of a layer to the end of its output projection.</summary>
    internal double HeadsSeconds(ReadOnlySpan<SiloWork> works)
    {
        var sending = Sending(works);
        var seconds = FinishSeconds(Coordinator, works[Coordinator], sending);
        for (var silo = 0; silo < works.Length; silo++)
        {
            if (works[silo].Heads > 0)
            {
                seconds = Math.Max(seconds, FinishSeconds(silo, works[silo], sending));
            }
        }

        return seconds;
    }

    /// <summary>What sending x takes if the silos with heads in <paramref name="works"/> get it.</summary>
    internal Sending Sending(ReadOnlySpan<SiloWork> works)
    {
        var sending = default(Sending);
        for (var silo = 0; silo < works.Length; silo++)
        {
            if (works[silo].Heads > 0)
            {
                sending = SendAlsoTo(silo, sending);
            }
        }

        return sending;
    }

    /// <summary>What sending x takes if one more silo gets it: all copies leave through the coordinator's one uplink.</summary>
    internal Sending SendAlsoTo(int silo, Sending sending)
    {
        ref readonly var price = ref _silos[silo];
        return silo == Coordinator
            ? sending
            : new Sending(sending.First + price.First, sending.Rest + price.Rest, sending.Copy + _copySeconds);
    }

    /// <summary>
    /// From the start of a layer to the end of its output projection, as far as one silo has to do with it. The coordinator projects
    /// what has come while others still compute, so that after another silo's last answer only that is left. However soon a silo is done
    /// with what it has to do, it cannot do so more often than it sustains.
    /// </summary>
    internal double FinishSeconds(int silo, in SiloWork work, in Sending sending)
    {
        ref readonly var price = ref _silos[silo];
        var computing = work.Sum / price.Threads;
        return silo == Coordinator
            ? Math.Max(
                Math.Max(computing + LeadSeconds(sending), price.Start + work.Longest) + _projectionSeconds,
                (computing + _projectionSeconds) / price.SustainedShare)
            : Math.Max(AnswerSeconds(silo, work, sending) + (LastPiece(work) * _projectionPerByte), computing / price.SustainedShare);
    }

    // Until the coordinator begins with its own heads. What wakes its threads up sends x first, so that they wait for that at least.
    private double LeadSeconds(in Sending sending) => Math.Max(_silos[Coordinator].Start, sending.Copy / _silos[Coordinator].Threads);

    // From the start of a layer to the last answer of a silo that does not coordinate.
    private double AnswerSeconds(int silo, in SiloWork work, in Sending sending)
    {
        // Computation begins with the first block and overlaps with the rest; what is computed travels while others compute.
        ref readonly var price = ref _silos[silo];
        return price.FanOut + price.RoundTrip + price.Start + sending.First + Math.Max(ComputeSeconds(silo, work), sending.Rest) + (LastPiece(work) * price.PerSentByte);
    }

    // What travels last, in bytes.
    private static long LastPiece(in SiloWork work) => Math.Min(work.OutputBytes, Math.Max(TransferBlocks.PieceBytes, work.LargestOutput));

    /// <summary>How many heads of one kind a silo can do within a time, all alike; may be a fraction or infinite.</summary>
    internal double HeadsWithin(int silo, double seconds, in HeadLoad head, in Sending sending)
    {
        ref readonly var price = ref _silos[silo];
        var each = HeadSeconds(silo, head) + double.Epsilon;
        if (silo == Coordinator)
        {
            var sustained = (seconds * price.SustainedShare) - _projectionSeconds;
            seconds -= _projectionSeconds;
            return seconds - price.Start < each ? 0 : Math.Min(seconds - LeadSeconds(sending), sustained) * price.Threads / each;
        }

        // FinishSeconds solved for the number of heads: for each of the three that may be the largest in it, and with answers that
        // travel in one piece, all at the end, or in several.
        var left = seconds - price.FanOut - price.RoundTrip - price.Start - sending.First;
        var answer = (head.OutputBytes * (price.PerSentByte + _projectionPerByte)) + double.Epsilon;
        var last = Math.Max(TransferBlocks.PieceBytes, head.OutputBytes) * (price.PerSentByte + _projectionPerByte);
        var waiting = left - Math.Max(each, sending.Rest);
        var computing = left - (_restCopySeconds / price.Threads);
        var answered = Math.Min(
            waiting >= last ? double.PositiveInfinity : waiting / answer,
            Math.Max(computing / ((each / price.Threads) + answer), (computing - last) * price.Threads / each));
        return Math.Min(answered, seconds * price.SustainedShare * price.Threads / each);
    }

    /// <summary>
    /// What a silo's heads take on its threads: not less than an even share of the threads, nor than the longest head. Copying what
    /// arrives meanwhile takes its part.
    /// </summary>
    private double ComputeSeconds(int silo, in SiloWork work)
    {
        ref readonly var price = ref _silos[silo];
        return Math.Max((work.Sum + (silo == Coordinator ? 0 : _restCopySeconds)) / price.Threads, work.Longest);
    }

    // Rows are split over threads, and the row of a decode step into columns.
    private double OwnSeconds(double operations, double readBytes)
    {
        var silo = _problem.Silos[Coordinator];
        var threads = _problem.Shape.Phase == RequestPhase.Decode ? silo.Threads : Math.Min(silo.Threads, _problem.Shape.Rows);
        return Math.Max(operations / (silo.OperationsPerSecond * threads), readBytes / silo.ReadBytesPerSecond);
    }

    private readonly struct SiloPricing(SiloCapacity silo, bool wakes, SiloLink link, long first, long rest)
    {
        public int Threads { get; } = silo.Threads;

        public double PerOperation { get; } = silo.AnswerSlowdown / silo.OperationsPerSecond;

        public double PerReadByte { get; } = silo.Threads / silo.ReadBytesPerSecond;

        public double Call { get; } = silo.CallTime.TotalSeconds;

        public double FanOut { get; } = silo.FanOutTime.TotalSeconds;

        public double SustainedShare { get; } = silo.SustainedShare;

        public double Start { get; } = wakes ? silo.StartTime.TotalSeconds : 0;

        public double RoundTrip { get; } = link.RoundTrip.TotalSeconds;

        public double First { get; } = first / link.BytesPerSecond;

        public double Rest { get; } = rest / link.BytesPerSecond;

        public double PerSentByte { get; } = 1 / link.BytesPerSecond;
    }
}

/// <summary>What sending x to the silos of a layer takes.</summary>
/// <param name="First">Until each has the first block, in seconds.</param>
/// <param name="Rest">From then on until all have the rest, in seconds.</param>
/// <param name="Copy">Time that it keeps a thread of the coordinator busy, in seconds.</param>
internal readonly record struct Sending(double First, double Rest, double Copy);
