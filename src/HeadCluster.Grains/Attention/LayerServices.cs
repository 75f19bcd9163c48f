using HeadCluster.Hosting;
using HeadCluster.Scheduling;
using Microsoft.Extensions.Options;

namespace HeadCluster.Grains;

/// <summary>What the coordinators of a silo share.</summary>
internal sealed class LayerServices
{
    public LayerServices(
        ILocalSiloDetails silo,
        ISiloStatusOracle silos,
        HeadFanOut heads,
        HeadRelayClient relays,
        Exchanges exchanges,
        InFlightBytes inFlight,
        ServedRequestShapes served,
        LinkMeter links,
        LayerInstruments instruments,
        PatternLimits patterns,
        WeightRelease release,
        TimeProvider time,
        IOptions<HeadClusterOptions> options)
    {
        Here = silo.SiloAddress;
        Silos = silos;
        Heads = heads;
        Relays = relays;
        Exchanges = exchanges;
        InFlight = inFlight;
        Served = served;
        Links = links;
        Instruments = instruments;
        Patterns = patterns;
        Release = release;
        Time = time;
        RecoveryTimeout = options.Value.RecoveryTimeout;
        WirePrecision = options.Value.WirePrecision;
    }

    public SiloAddress Here { get; }

    public ISiloStatusOracle Silos { get; }

    public HeadFanOut Heads { get; }

    public HeadRelayClient Relays { get; }

    public Exchanges Exchanges { get; }

    public InFlightBytes InFlight { get; }

    public ServedRequestShapes Served { get; }

    public LinkMeter Links { get; }

    public LayerInstruments Instruments { get; }

    public PatternLimits Patterns { get; }

    public WeightRelease Release { get; }

    public TimeProvider Time { get; }

    public TimeSpan RecoveryTimeout { get; }

    public WirePrecision WirePrecision { get; }
}
