using Orleans.Runtime.Services;

namespace HeadCluster.Scheduling;

/// <summary>The scheduling agents of all silos.</summary>
internal sealed class SchedulingAgentClient : GrainServiceClient<ISchedulingAgent>
{
    public SchedulingAgentClient(IServiceProvider services)
        : base(services)
    {
    }

    public ISchedulingAgent On(SiloAddress silo) => GetGrainService(silo);
}
