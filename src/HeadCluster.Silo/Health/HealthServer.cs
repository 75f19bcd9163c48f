using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace HeadCluster.Silo;

/// <summary>
/// Answers <c>/health/live</c> and <c>/health/ready</c>. It is the first to start and the last to stop, so that live is told from
/// start to end.
/// </summary>
internal sealed class HealthServer : HttpServer
{
    private readonly HealthCheckService _checks;

    public HealthServer(SiloHostOptions silo, HealthCheckService checks, ILoggerFactory loggers)
        : base(silo.Listening, silo.HealthPort!.Value, loggers) => _checks = checks;

    /// <inheritdoc/>
    public override Task ProcessRequestAsync(HttpContext context) => context.Request.Path.Value switch
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
