using System.Diagnostics;

namespace HeadCluster.Grains;

/// <summary>A span, or none, over some work. Dispose it when the work has ended, completed or not.</summary>
/// <param name="span">The span.</param>
internal readonly struct SpanScope(Activity? span) : IDisposable
{
    /// <summary>The work succeeded; without this the span ends as an error.</summary>
    public void Complete() => span?.SetStatus(ActivityStatusCode.Ok);

    /// <inheritdoc/>
    public void Dispose() => Spans.End(span);
}
