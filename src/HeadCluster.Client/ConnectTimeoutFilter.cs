using Microsoft.Extensions.Options;

namespace HeadCluster.Client;

/// <summary>Tries the gateways again, a few times a second, until the connect timeout has passed.</summary>
internal sealed class ConnectTimeoutFilter : IClientConnectionRetryFilter
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly HeadClusterClientOptions _options;
    private readonly TimeProvider _time;
    private readonly long _start;

    public ConnectTimeoutFilter(IOptions<HeadClusterClientOptions> options, TimeProvider time)
    {
        _options = options.Value;
        _time = time;
        _start = time.GetTimestamp();
    }

    /// <summary>Why the first attempt failed; those after it may only say that it is too early to try again.</summary>
    public Exception? First { get; private set; }

    /// <inheritdoc/>
    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        First ??= exception;
        var elapsed = _time.GetElapsedTime(_start);
        if (elapsed + Pause >= _options.ConnectTimeout)
        {
            // Which of the two limits it was: attempts do not end to the millisecond.
            throw Failure.Unreachable(_options, elapsed < _options.AttemptTimeout ? _options.ConnectTimeout : _options.AttemptTimeout, First);
        }

        await Task.Delay(Pause, _time, cancellationToken);
        return true;
    }
}
