using System.Collections.Concurrent;
using HeadCluster.Hosting;
using HeadCluster.Models;
using Microsoft.Extensions.Options;

namespace HeadCluster.Grains;

/// <summary>
/// Has the patterns of a request captured now and then that did not ask for them, and hands captures to who keeps them. Whoever sent
/// the request sees nothing of it.
/// </summary>
internal sealed class PatternSampling
{
    private readonly IGrainFactory _grains;
    private readonly TimeProvider _time;
    private readonly PatternLimits _limits;
    private readonly TimeSpan? _interval;
    private readonly long _keptBytes;

    // When each model was last sampled.
    private readonly ConcurrentDictionary<string, long> _sampled = new(StringComparer.Ordinal);

    public PatternSampling(IGrainFactory grains, PatternLimits limits, IOptions<HeadClusterOptions> options, TimeProvider time)
    {
        _grains = grains;
        _limits = limits;
        _time = time;
        _interval = options.Value.Patterns.SampleInterval;
        _keptBytes = options.Value.Patterns.KeptBytes;
    }

    /// <summary>The request with patterns to be captured, if it is this one's turn and they can be kept; else null.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="model">Its sizes.</param>
    /// <param name="request">A request that asks for none.</param>
    /// <param name="sequenceLengths">Its sequences.</param>
    public ForwardRequest? Sample(string name, ModelConfiguration model, ForwardRequest request, int[] sequenceLengths)
    {
        if (_interval is not { } interval || request.Patterns is not null || !IsTurn(name, interval))
        {
            return null;
        }

        // A request must not become too large by being looked at: what a layer answers is held to what a message takes.
        var patterns = _limits.Bound(name, PatternSelection.All, model)!;
        var bytes = RequestSize.PatternBytes(model, sequenceLengths, patterns);
        return bytes <= _keptBytes && bytes + ((Int128)request.Tokens.Length * model.ModelDim * sizeof(float)) <= WireLimits.MaxPayloadBytes
            ? request with { Patterns = patterns }
            : null;
    }

    /// <summary>Has a request's patterns kept, if it has any and they are not too large. Nobody waits for it.</summary>
    public void Keep(string name, ForwardRequest request, int[] sequenceLengths, ForwardResult result)
    {
        var heads = result.Layers.SelectMany(layer => layer).Where(head => head.Patterns is not null).ToArray();
        if (heads.Length > 0 && heads.Sum(head => head.Patterns!.Sum(pattern => pattern.Bytes)) <= _keptBytes)
        {
            var capture = new PatternCaptured(Guid.NewGuid(), _time.GetUtcNow(), request.Tokens, sequenceLengths, heads);
            _grains.GetGrain<IPatternKeeper>(name).KeepAsync(capture).Ignore();
        }
    }

    private bool IsTurn(string name, TimeSpan interval)
    {
        var now = _time.GetTimestamp();
        return _sampled.TryGetValue(name, out var last)
            ? _time.GetElapsedTime(last, now) >= interval && _sampled.TryUpdate(name, now, last)
            : _sampled.TryAdd(name, now);
    }
}
