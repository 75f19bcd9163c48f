using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using HeadCluster.Diagnostics;

namespace HeadCluster.Client;

/// <summary>
/// Makes calls that end with their answer, their cancellation, or the loss of the cluster. A call that a lost silo owed an answer,
/// or that came when the cluster was busy, is made again for as long as the caller's patience: no call changes an answer.
/// </summary>
internal sealed class GrainCalls
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    // How often it is asked whether a call is still served. Orleans tells a client of a lost gateway, with which the answer may have
    // gone or yet go, but not of a lost silo behind one.
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WatchIntervalAfterLoss = TimeSpan.FromMilliseconds(100);

    private static readonly Task Never = new TaskCompletionSource().Task;

    private readonly ConnectionLoss? _loss;
    private readonly TimeSpan _retryTimeout;
    private readonly TimeSpan? _timeLimit;
    private readonly TimeProvider _time;

    /// <param name="loss">Tells that the connection is lost; null where calls use none, as in a silo's own process.</param>
    /// <param name="retryTimeout">How long calls are made again, from when they failed first.</param>
    /// <param name="timeLimit">How long a request may take that sets no limit of its own; null for no limit.</param>
    /// <param name="time">The clock.</param>
    public GrainCalls(ConnectionLoss? loss, TimeSpan retryTimeout, TimeSpan? timeLimit, TimeProvider time)
    {
        _loss = loss;
        _retryTimeout = retryTimeout;
        _timeLimit = timeLimit;
        _time = time;
    }

    /// <summary>Starts the time that a request may take.</summary>
    /// <param name="limit">The limit that it sets itself; null for the one that all requests have.</param>
    /// <exception cref="HeadClusterException">There is no such limit.</exception>
    public TimeBudget StartTime(TimeSpan? limit)
    {
        TimeLimits.Check(limit);
        return new TimeBudget(limit ?? _timeLimit, _time);
    }

    /// <summary>Makes a call that may take what is left of a time, and is told how much that is.</summary>
    /// <param name="budget">The time.</param>
    /// <param name="call">The call.</param>
    /// <param name="isServed">Asks whether the cluster is still serving it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<T> CallAsync<T>(
        TimeBudget budget,
        Func<TimeSpan?, CancellationToken, Task<T>> call,
        Func<CancellationToken, Task<bool>> isServed,
        CancellationToken cancellationToken)
    {
        using var end = new BudgetEnd(budget, _time, cancellationToken);
        return await end.AwaitAsync(CallAsync(token => call(budget.Remaining, token), isServed, end.Token));
    }

    /// <summary>Makes a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="isServed">
    /// Asks whether the cluster is still serving it, for one that may take long; null for one that is soon answered.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<T> CallAsync<T>(
        Func<CancellationToken, Task<T>> call, Func<CancellationToken, Task<bool>>? isServed, CancellationToken cancellationToken)
    {
        RequestTrace.CarryCurrent();
        var retry = new Retry(this);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var lost = _loss?.Token ?? CancellationToken.None;
            try
            {
                return await AttemptAsync(call, isServed, lost, cancellationToken);
            }
            catch (Exception exception) when (Reason(exception, lost, cancellationToken) is { } reason)
            {
                await retry.PauseAsync(reason, cancellationToken);
            }
        }
    }

    /// <summary>Makes a call that answers item by item, and may take a time from the first on until the last; it is told what is left.</summary>
    /// <param name="timeLimit">The time; null for the one that all requests have.</param>
    /// <param name="call">The call, under an id of its own, for the items after those that it is given.</param>
    /// <param name="isServed">Asks whether the cluster is still computing the item that the call of an id waits for.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<T> StreamAsync<T>(
        TimeSpan? timeLimit,
        Func<Guid, IReadOnlyList<T>, TimeSpan?, CancellationToken, IAsyncEnumerable<T>> call,
        Func<Guid, CancellationToken, Task<bool>> isServed,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var budget = StartTime(timeLimit);
        using var end = new BudgetEnd(budget, _time, cancellationToken);
        await using var items = StreamAsync<T>((id, known, token) => call(id, known, budget.Remaining, token), isServed, end.Token)
            .GetAsyncEnumerator(CancellationToken.None);
        while (await end.AwaitAsync(items.MoveNextAsync().AsTask()))
        {
            yield return items.Current;
        }
    }

    /// <summary>Makes a call that answers item by item.</summary>
    /// <param name="call">The call, under an id of its own, for the items after those that it is given.</param>
    /// <param name="isServed">
    /// Asks whether the cluster is still computing the item that the call of an id waits for; null where items come when something has happened.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<T> StreamAsync<T>(
        Func<Guid, IReadOnlyList<T>, CancellationToken, IAsyncEnumerable<T>> call,
        Func<Guid, CancellationToken, Task<bool>>? isServed,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var known = new List<T>();
        var retry = new Retry(this);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var lost = _loss?.Token ?? CancellationToken.None;
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lost);

            // With the first item the work begins; what is carried is the caller's own again once that has its item.
            RequestTrace.CarryCurrent();
            var id = Guid.NewGuid();
            await using var items = new Stream<T>(call(id, known, end.Token).GetAsyncEnumerator(end.Token));
            bool? more;
            while ((more = await NextAsync()) == true)
            {
                known.Add(items.Current);
                retry = new Retry(this);
                yield return items.Current;
            }

            if (more == false)
            {
                yield break;
            }

            // Null where the call is to be made again.
            async ValueTask<bool?> NextAsync()
            {
                try
                {
                    return await AttemptAsync(_ => items.MoveNextAsync(), isServed is null ? null : token => isServed(id, token), lost, cancellationToken);
                }
                catch (Exception exception) when (Reason(exception, lost, cancellationToken) is { } reason)
                {
                    await end.CancelAsync();
                    await retry.PauseAsync(reason, cancellationToken);
                    return null;
                }
            }
        }
    }

    private async Task<T> AttemptAsync<T>(
        Func<CancellationToken, Task<T>> call,
        Func<CancellationToken, Task<bool>>? isServed,
        CancellationToken lost,
        CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lost);
        var gatewayLost = _loss?.GatewayLost ?? Never;
        var answer = call(end.Token);
        var interval = WatchInterval;
        while (isServed is not null)
        {
            await WaitForAnyAsync(interval, answer, gatewayLost);
            if (answer.IsCompleted)
            {
                break;
            }

            if (gatewayLost.IsCompleted)
            {
                (interval, gatewayLost) = (WatchIntervalAfterLoss, Never);
            }

            if (await IsServedAsync(isServed, end.Token))
            {
                continue;
            }

            // What is served no more may have been answered, and a busy client takes the answer up after the one to the question.
            await WaitForAnyAsync(WatchIntervalAfterLoss, answer);
            if (!answer.IsCompleted)
            {
                // Whoever may still compute it stops.
                await end.CancelAsync();
                answer.Ignore();
                cancellationToken.ThrowIfCancellationRequested();
                throw Failure.RequestLost();
            }
        }

        return await answer;
    }

    private async Task WaitForAnyAsync(TimeSpan longest, params Task[] tasks)
    {
        try
        {
            await Task.WhenAny(tasks).WaitAsync(longest, _time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
        }
    }

    // Who cannot be asked may still be serving. The question may be lost like the call.
    private async Task<bool> IsServedAsync(Func<CancellationToken, Task<bool>> isServed, CancellationToken cancellationToken)
    {
        try
        {
            return await isServed(cancellationToken).WaitAsync(WatchInterval, _time, cancellationToken);
        }
        catch (Exception exception) when (exception is HeadClusterException or OrleansException or TimeoutException or OperationCanceledException)
        {
            return true;
        }
    }

    private static Exception? Reason(Exception exception, CancellationToken lost, CancellationToken cancellationToken) => exception switch
    {
        HeadClusterException => exception,
        OperationCanceledException when cancellationToken.IsCancellationRequested =>
            new OperationCanceledException(exception.Message, exception, cancellationToken),
        OperationCanceledException when lost.IsCancellationRequested => Failure.ConnectionLost(exception),
        _ => Failure.Translate(exception),
    };

    /// <summary>Items that come one by one. Whoever goes away does not wait for one that never comes.</summary>
    private sealed class Stream<T>(IAsyncEnumerator<T> items) : IAsyncDisposable
    {
        private Task<bool> _moving = Task.FromResult(false);

        public T Current => items.Current;

        public Task<bool> MoveNextAsync() => _moving = items.MoveNextAsync().AsTask();

        public async ValueTask DisposeAsync()
        {
            var end = EndAsync();
            if (_moving.IsCompletedSuccessfully)
            {
                await end;
            }
            else
            {
                end.Ignore();
            }
        }

        private async Task EndAsync()
        {
            await ((Task)_moving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await items.DisposeAsync();
        }
    }

    /// <summary>How often and how long one call is made again, from when it failed first.</summary>
    private sealed class Retry(GrainCalls calls)
    {
        private long? _failed;
        private TimeSpan _pause = FirstPause;

        /// <summary>Waits before the call is made again, or throws why it is not.</summary>
        public async Task PauseAsync(Exception reason, CancellationToken cancellationToken)
        {
            var failed = _failed ??= calls._time.GetTimestamp();
            var busy = reason as HeadClusterException;
            var pause = busy?.RetryAfter > _pause ? busy.RetryAfter : _pause;
            if (busy is not { IsTransient: true } || calls._time.GetElapsedTime(failed) + pause > calls._retryTimeout)
            {
                ExceptionDispatchInfo.Throw(reason);
            }

            await Task.Delay(pause, calls._time, cancellationToken);
            _pause = _pause + _pause < LongestPause ? _pause + _pause : LongestPause;
        }
    }
}
