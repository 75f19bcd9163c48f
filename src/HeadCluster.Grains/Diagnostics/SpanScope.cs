using System.Diagnostics;

namespace HeadCluster.Grains;

/// <summary>A span, or none, over some work. Dispose it when the work has ended, completed or not.</summary>
/// <param name="span">The span.</param>
/// <param name="whole">The span of the whole that fails with this work; null where that sees for itself.</param>
internal readonly struct SpanScope(Activity? span, Activity? whole = null) : IDisposable
{
    /// <summary>A part of the work. If it fails, the span says so; with no span it costs nothing.</summary>
    public Task<T> WatchAsync<T>(Task<T> part) => span is null && whole is null ? part : AwaitAsync(part);

    /// <inheritdoc cref="WatchAsync{T}(Task{T})"/>
    public Task WatchAsync(Task part) => span is null && whole is null ? part : AwaitAsync(part);

    /// <inheritdoc/>
    public void Dispose() => span?.Dispose();

    private async Task<T> AwaitAsync<T>(Task<T> part)
    {
        await AwaitAsync((Task)part);
        return await part;
    }

    private async Task AwaitAsync(Task part)
    {
        try
        {
            await part;
        }
        catch (Exception exception)
        {
            Spans.Fail(span, exception);
            Spans.Fail(whole, exception);
            throw;
        }
    }
}
