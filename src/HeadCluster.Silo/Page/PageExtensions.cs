using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Dashboard;

namespace HeadCluster.Silo;

/// <summary>Adds the page of a silo to its host.</summary>
internal static class PageExtensions
{
    /// <summary>Serves the page if the silo has a port for it.</summary>
    public static IServiceCollection AddPage(this IServiceCollection services, SiloHostOptions options)
    {
        if (options.PagePort is null)
        {
            return services;
        }

        services.AddRouting();
        services.TryAddSingleton(new DiagnosticListener("HeadCluster.Silo.Page"));
        services.TryAddSingleton<DiagnosticSource>(provider => provider.GetRequiredService<DiagnosticListener>());
        services.AddSingleton<ClusterView>();
        services.AddSingleton<PageApi>();
        return services.AddSingleton<IHostedService, PageServer>();
    }

    /// <summary>Has the silo count for the Orleans Dashboard if that is on.</summary>
    public static ISiloBuilder AddDashboard(this ISiloBuilder silo, SiloHostOptions options) => options.Dashboard ? silo.AddDashboard() : silo;
}
