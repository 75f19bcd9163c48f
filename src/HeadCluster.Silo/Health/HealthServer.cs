using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeadCluster.Silo;

/// <summary>
/// Answers <c>/health/live</c> and <c>/health/ready</c>. Kestrel alone and no web application, which would bring a second host with
/// settings and signals of its own. It is the first to start and the last to stop, so that live is told from start to end.
/// </summary>
internal sealed class HealthServer : IHostedService, IHttpApplication<HttpContext>, IDisposable
{
    private readonly HealthCheckService _checks;
    private readonly KestrelServer _server;

    public HealthServer(SiloHostOptions silo, HealthCheckService checks, ILoggerFactory loggers)
    {
        _checks = checks;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Listen(silo.Listening, silo.HealthPort!.Value);
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers);
        _server = new KestrelServer(Options.Create(options), sockets, loggers);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => _server.StartAsync(this, cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _server.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _server.Dispose();

    /// <inheritdoc/>
    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    /// <inheritdoc/>
    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    /// <inheritdoc/>
    public Task ProcessRequestAsync(HttpContext context) => context.Request.Path.Value switch
    {
        // It says that the process runs and takes connections; what it needs of others is not its own health.
        "/health/live" => AnswerAsync(context, StatusCodes.Status200OK, "live\n"),
        "/health/ready" => AnswerReadyAsync(context),
        _ => AnswerAsync(context, StatusCodes.Status404NotFound, "expected /health/live or /health/ready\n"),
    };

    private async Task AnswerReadyAsync(HttpContext context)
    {
        var report = await _checks.CheckHealthAsync(context.RequestAborted);
        var isReady = report.Status == HealthStatus.Healthy;
        var text = new StringBuilder(isReady ? "ready\n" : "not ready\n");
        foreach (var (name, check) in report.Entries)
        {
            text.Append(name).Append(": ").Append(check.Description ?? check.Exception?.Message ?? check.Status.ToString()).Append('\n');
        }

        await AnswerAsync(context, isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, text.ToString());
    }

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}
