namespace HeadCluster.Client;

/// <summary>Ends what takes longer than a time, unless it has ended by then as it should.</summary>
internal sealed class BudgetEnd : IDisposable
{
    // A silo whose time has passed says what was pending, and that is on its way for a moment.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(2);

    private readonly TimeBudget _budget;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _passed;
    private readonly CancellationTokenSource _end;

    /// <param name="budget">The time; with no limit it never ends.</param>
    /// <param name="time">The clock.</param>
    /// <param name="caller">Gives up earlier.</param>
    /// <exception cref="HeadClusterException">Nothing is left of it.</exception>
    public BudgetEnd(TimeBudget budget, TimeProvider time, CancellationToken caller)
    {
        _budget = budget;
        _caller = caller;
        _passed = new CancellationTokenSource(budget.Remaining + AnswerTime ?? Timeout.InfiniteTimeSpan, time);
        _end = CancellationTokenSource.CreateLinkedTokenSource(_passed.Token, caller);
    }

    /// <summary>For what is to end.</summary>
    public CancellationToken Token => _end.Token;

    /// <summary>Awaits what was given the token.</summary>
    /// <exception cref="HeadClusterException">It was ended since the time has passed.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; it has the caller's token.</exception>
    public async Task<T> AwaitAsync<T>(Task<T> limited)
    {
        try
        {
            return await limited;
        }
        catch (OperationCanceledException exception) when (_caller.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, _caller);
        }
        catch (OperationCanceledException) when (_passed.IsCancellationRequested)
        {
            throw Failure.TimeLimitPassed(_budget);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Dispose();
        _passed.Dispose();
    }
}
