using HeadCluster.Grains;
using Microsoft.Extensions.DependencyInjection;

namespace HeadCluster.Scheduling;

/// <summary>What scheduling consists of on each silo.</summary>
internal static class SchedulingServices
{
    public static void AddScheduling(this IServiceCollection services)
    {
        services.AddSingleton<SiloSpeed>();
        services.AddSingleton<AnswerMeter>();
        services.AddSingleton<ServedRequestShapes>();
        services.AddSingleton<LinkMeter>();
        services.AddSingleton<SchedulingAgentClient>();
        services.AddSingleton<IPlanStrategy, MeasuredStrategy>();
        services.AddSingleton<IPlanStrategy, CapacityStrategy>();
        services.AddSingleton<IPlanStrategy, EvenStrategy>();
        services.AddSingleton<ModelPlanner>();
        services.AddSingleton<IConfigurationValidator, StrategyValidator>();
        services.AddSingleton<PlanBoard>();
        services.AddSingleton<HeadMover>();
        services.AddSingleton(provider => new SiloDrain(
            provider.GetRequiredService<LocalGrains>(),
            provider.GetRequiredService<IGrainFactory>(),
            provider.GetRequiredService<ISiloStatusOracle>(),
            provider.GetRequiredService<ILocalSiloDetails>()));
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, SchedulingPulse>();
    }
}
