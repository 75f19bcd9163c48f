using HeadCluster.Grains;
using HeadCluster.Kernels;
using HeadCluster.Scheduling;
using HeadCluster.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace HeadCluster.Hosting;

/// <summary>Adds attention heads to a silo.</summary>
public static class HeadClusterSiloBuilderExtensions
{
    /// <summary>
    /// Makes this silo host attention heads: its models come from section <c>HeadCluster</c> of the configuration and from
    /// <paramref name="configure"/>. Calling it again only configures further. It adds Orleans' activity propagation, for those
    /// who want the spans of grain calls too; do not add that a second time.
    /// </summary>
    /// <param name="builder">The silo.</param>
    /// <param name="configure">Adds models or sets limits, after the configuration section.</param>
    public static ISiloBuilder AddHeadCluster(this ISiloBuilder builder, Action<HeadClusterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Services.All(service => service.ServiceType != typeof(ModelCatalog)))
        {
            AddServices(builder);
        }

        if (configure is not null)
        {
            builder.Services.Configure(configure);
        }

        return builder;
    }

    /// <summary>
    /// Replaces Orleans' sockets of this silo by ones that read in large pieces: inputs and outputs of layers are megabytes. Call
    /// it after what chooses the transport, and only where silos talk by TCP; it needs nothing of the other side.
    /// </summary>
    /// <param name="builder">The silo.</param>
    public static ISiloBuilder UseBlockSockets(this ISiloBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        BlockTransport.Use(builder.Services);
        return builder;
    }

    private static void AddServices(ISiloBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<HeadClusterOptions>().Bind(builder.Configuration.GetSection(HeadClusterOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<HeadClusterOptions>, HeadClusterOptionsValidator>();
        services.AddSingleton<ModelCatalog>();
        services.AddSingleton<WeightMemory>();
        services.AddSingleton<WeightLoader>();
        services.AddSingleton<WeightRelease>();
        services.AddSingleton<SequenceCaches>();
        services.AddSingleton<SequenceRelease>();
        services.AddSingleton<HeadInstruments>();
        services.AddSingleton<LayerInstruments>();
        services.AddSingleton<ModelInstruments>();
        services.AddSingleton<LocalGrains>();
        services.AddSingleton(provider => new SiloHeads(provider.GetRequiredService<LocalGrains>()));
        services.AddSingleton<HeadFanOut>();
        services.AddSingleton<Exchanges>();
        services.AddSingleton<InFlightBytes>();
        services.AddSingleton<HeadRelayClient>();
        services.TryAddSingleton(NumericsFingerprint.OfThisProcess);
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, NumericsCheck>();
        services.AddSingleton<PatternLimits>();
        services.AddSingleton<PatternSampling>();
        services.AddSingleton<LayerServices>();
        services.TryAddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<HeadClusterOptions>>().Value;
            return new ComputePool(options.ComputeThreads ?? Environment.ProcessorCount, options.PinComputeThreads);
        });

        services.AddScheduling();
        builder.AddPlacementDirector<HeadPlacement, HeadPlacementDirector>();
        builder.AddPlacementDirector<CoordinatorPlacement, CoordinatorPlacementDirector>();
        builder.AddGrainService<HeadRelay>();
        builder.AddGrainService<SchedulingAgent>();
        builder.AddActivityPropagation();

        // Weights of many gigabytes take minutes to read and to pack.
        builder.Configure<GrainCollectionOptions>(options => options.ActivationTimeout = TimeLimits.Longest);
        builder.Configure<SiloMessagingOptions>(options =>
        {
            options.MaxMessageBodySize = WireLimits.MaxMessageBodyBytes;

            // Without this a request that timed out at its caller goes on being computed.
            options.CancelRequestOnTimeout = true;
        });
    }
}
