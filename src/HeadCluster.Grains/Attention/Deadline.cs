using System.Globalization;

namespace HeadCluster.Grains;

/// <summary>
/// When a request has to be done, by the clock of the silo that serves it. What travels is the time that is left, so that clocks of
/// different silos are never compared.
/// </summary>
internal readonly struct Deadline : IDisposable
{
    // For an error that is on its way.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly TimeSpan? _limit;
    private readonly CancellationTokenSource? _passing;
    private readonly CancellationTokenSource? _end;
    private readonly CancellationTokenSource? _late;
    private readonly CancellationTokenSource? _answersEnd;

    /// <param name="limit">How long the request may take from now on; null for no limit.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the request too.</param>
    public Deadline(TimeSpan? limit, TimeProvider time, CancellationToken cancellationToken)
    {
        _time = time;
        _started = time.GetTimestamp();
        _limit = limit;
        Token = AnswersToken = cancellationToken;
        if (limit is { } some)
        {
            _passing = new CancellationTokenSource(some, time);
            _end = CancellationTokenSource.CreateLinkedTokenSource(_passing.Token, cancellationToken);
            Token = _end.Token;
            _late = new CancellationTokenSource(some + AnswerTime, time);
            _answersEnd = CancellationTokenSource.CreateLinkedTokenSource(_late.Token, cancellationToken);
            AnswersToken = _answersEnd.Token;
        }
    }

    /// <summary>Ends the work, when the time has passed or the caller gave up.</summary>
    public CancellationToken Token { get; }

    /// <summary>
    /// Ends a call that was given the time that is left. It ends by itself, and then its answer says what was pending there; so this
    /// comes a moment later.
    /// </summary>
    public CancellationToken AnswersToken { get; }

    public bool HasPassed => _passing is { IsCancellationRequested: true };

    /// <summary>The time that is left, more than zero; null for no limit.</summary>
    public TimeSpan? Remaining
    {
        get
        {
            var left = _limit - _time.GetElapsedTime(_started);
            return left <= TimeSpan.Zero ? TimeSpan.FromTicks(1) : left;
        }
    }

    /// <summary>The error of a request that was not done in time.</summary>
    /// <param name="where">The layer or model.</param>
    /// <param name="silo">The silo that served it.</param>
    /// <param name="pending">What was not done.</param>
    public HeadClusterException Missed(string where, SiloAddress silo, string pending) => new(HeadClusterErrorKind.Timeout, string.Create(
        CultureInfo.InvariantCulture,
        $"{where}: the time limit of {_limit!.Value.TotalSeconds:0.000} s passed on silo {silo} after {_time.GetElapsedTime(_started).TotalSeconds:0.000} s, with {pending} pending"));

    /// <inheritdoc/>
    public void Dispose()
    {
        _answersEnd?.Dispose();
        _late?.Dispose();
        _end?.Dispose();
        _passing?.Dispose();
    }
}
