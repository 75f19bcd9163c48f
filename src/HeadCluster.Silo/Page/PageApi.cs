using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace HeadCluster.Silo;

/// <summary>What the page asks for, as JSON. All of it only reads; docs/patterns.md shows the answers.</summary>
internal sealed class PageApi
{
    private readonly ClusterView _cluster;
    private readonly SiloHostOptions _silo;
    private readonly TimeProvider _time;

    public PageApi(ClusterView cluster, SiloHostOptions silo, TimeProvider time)
    {
        _cluster = cluster;
        _silo = silo;
        _time = time;
    }

    /// <summary>Adds its addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        Get("/api/cluster", AnswerClusterAsync);
        Get("/api/capture", AnswerCaptureAsync);
        Get("/api/pattern", AnswerPatternAsync);

        void Get(string path, RequestDelegate answer) => routes.MapGet(path, context => AnswerAsync(context, answer));
    }

    private async Task AnswerClusterAsync(HttpContext context)
    {
        var status = await _cluster.StatusAsync(context.RequestAborted);
        await WriteAsync(context, ClusterAnswer.Of(status, _time.GetUtcNow(), _silo.Dashboard), PageJson.Default.ClusterAnswer);
    }

    private async Task AnswerCaptureAsync(HttpContext context)
    {
        var model = await ModelAsync(context);
        var capture = await _cluster.CaptureAsync(model, context.RequestAborted);
        await WriteAsync(context, capture is null ? null : CaptureAnswer.Of(model, capture), PageJson.Default.CaptureAnswer);
    }

    private async Task AnswerPatternAsync(HttpContext context)
    {
        var head = new HeadId(await ModelAsync(context), Number(context, "layer"), Number(context, "head"));
        var sequence = Number(context, "sequence");
        var id = Guid.TryParse(Value(context, "capture"), out var given)
            ? given
            : throw HeadClusterException.InvalidInput($"'{Value(context, "capture")}' is not the id of a capture; expected that of /api/capture");
        var capture = await _cluster.CaptureAsync(head.Model, context.RequestAborted);
        var pattern = await _cluster.PatternAsync(id, head, sequence, context.RequestAborted);
        if (pattern is null || capture?.Id != id)
        {
            throw HeadClusterException.NotFound($"the pattern of head {head} in sequence {sequence} is not kept; ask /api/capture for what is");
        }

        await WriteAsync(context, PatternAnswer.Of(capture, head, sequence, pattern), PageJson.Default.PatternAnswer);
    }

    // Only of models that there are: asking for another would make a grain that keeps nothing.
    private async Task<string> ModelAsync(HttpContext context)
    {
        var name = Value(context, "model");
        var status = await _cluster.StatusAsync(context.RequestAborted);
        return Array.Exists(status.Models, model => model.Name == name)
            ? name
            : throw HeadClusterException.NotFound($"there is no model '{name}'; /api/cluster tells which there are");
    }

    private static string Value(HttpContext context, string name) => context.Request.Query[name].ToString();

    private static int Number(HttpContext context, string name) =>
        int.TryParse(Value(context, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw HeadClusterException.InvalidInput($"{name} is '{Value(context, name)}'; expected a whole number, 0 or more");

    private static Task WriteAsync<T>(HttpContext context, T? answer, JsonTypeInfo<T> type)
        where T : class
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return JsonSerializer.SerializeAsync(context.Response.Body, answer!, type, context.RequestAborted);
    }

    private static async Task AnswerAsync(HttpContext context, RequestDelegate answer)
    {
        try
        {
            await answer(context);
        }
        catch (HeadClusterException exception)
        {
            var status = exception.Kind switch
            {
                HeadClusterErrorKind.InvalidInput => StatusCodes.Status400BadRequest,
                HeadClusterErrorKind.NotFound => StatusCodes.Status404NotFound,
                _ => StatusCodes.Status503ServiceUnavailable,
            };
            await RefuseAsync(context, status, exception.Message);
        }
        catch (Exception exception) when (exception is TimeoutException or OrleansException)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "the cluster does not answer at this moment; it may have lost a silo");
        }
    }

    private static Task RefuseAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(message + "\n", context.RequestAborted);
    }
}
