using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Orleans.Dashboard;

namespace HeadCluster.Silo;

/// <summary>Serves the page, its API and, if it is on, the Orleans Dashboard.</summary>
internal sealed class PageServer : HttpServer
{
    private readonly IServiceProvider _services;
    private readonly RequestDelegate _answer;
    private readonly bool _isLoopback;

    public PageServer(SiloHostOptions silo, PageApi api, IServiceProvider services, ILoggerFactory loggers)
        : base(silo.PageListening, silo.PagePort!.Value, loggers)
    {
        _services = services;
        _isLoopback = IPAddress.IsLoopback(silo.PageListening);
        var pipeline = new ApplicationBuilder(services);
        pipeline.UseRouting();
        pipeline.UseEndpoints(routes =>
        {
            PageFiles.Map(routes);
            api.Map(routes);
            if (silo.Dashboard)
            {
                routes.MapOrleansDashboard("/dashboard");
            }
        });
        _answer = pipeline.Build();
    }

    /// <inheritdoc/>
    public override HttpContext CreateContext(IFeatureCollection contextFeatures) =>
        new DefaultHttpContext(contextFeatures) { RequestServices = _services };

    /// <inheritdoc/>
    public override Task ProcessRequestAsync(HttpContext context)
    {
        if (!_isLoopback || IsThisMachine(context.Request.Host.Host))
        {
            return _answer(context);
        }

        // Another site's name that leads here is a way to read from a browser what only this machine may see.
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return Task.CompletedTask;
    }

    private static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
