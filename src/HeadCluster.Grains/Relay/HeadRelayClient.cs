using Orleans.Runtime.Services;

namespace HeadCluster.Grains;

/// <summary>The relays of all silos.</summary>
internal sealed class HeadRelayClient : GrainServiceClient<IHeadRelay>
{
    public HeadRelayClient(IServiceProvider services)
        : base(services)
    {
    }

    public IHeadRelay On(SiloAddress silo) => GetGrainService(silo);
}
