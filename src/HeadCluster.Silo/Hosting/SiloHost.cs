using HeadCluster.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace HeadCluster.Silo;

/// <summary>Composes a silo that hosts attention heads.</summary>
public static class SiloHost
{
    /// <summary>
    /// Prepares the host of one silo. Its settings come from <c>appsettings.json</c> beside the program, then environment
    /// variables such as <c>HeadCluster__Silo__GatewayPort</c>, then <paramref name="settings"/>.
    /// </summary>
    /// <param name="settings">Settings that override the others, by configuration key.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">A setting is missing or out of range.</exception>
    /// <exception cref="HeadClusterException">A setting is not of its type.</exception>
    public static HostApplicationBuilder CreateBuilder(IEnumerable<KeyValuePair<string, string?>>? settings = null)
    {
        // Without the defaults: they watch files for changes and log every request of a host, which a silo needs not.
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings
        {
            DisableDefaults = true,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.AddJsonFile("appsettings.json", optional: true, reloadOnChange: false);
        builder.Configuration.AddEnvironmentVariables();
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));

        var options = SiloHostOptions.Read(builder.Configuration);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<RunningRequests>();
        builder.Services.AddSingleton<IIncomingGrainCallFilter>(provider => provider.GetRequiredService<RunningRequests>());
        builder.Services.AddHealth(options);
        builder.Services.AddHostedService<FinishRequests>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.ShutdownTimeout);
        builder.UseOrleans(silo => silo
            .UseClustering(options)
            .Configure<SiloOptions>(orleans => orleans.SiloName = options.Name)
            .Configure<SiloMessagingOptions>(orleans => orleans.ClientGatewayShutdownNotificationTimeout = FinishRequests.ClientsLeaveTime)
            .Configure<GrainCollectionOptions>(orleans => orleans.DeactivationTimeout = options.ShutdownTimeout)
            .AddHeadCluster()
            .AddDashboard(options)
            .UseBlockSockets());

        // After the silo, of which it tells.
        builder.Services.AddPage(options);
        return builder;
    }
}
