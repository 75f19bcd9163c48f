using System.Runtime.CompilerServices;

namespace HeadCluster.Client;

/// <summary>Makes calls that end with their answer, their cancellation, or the loss of the connection, whichever is first.</summary>
internal sealed class GrainCalls
{
    private readonly ConnectionLoss? _loss;

    /// <param name="loss">Tells that the connection is lost; null where calls use none, as in a silo's own process.</param>
    public GrainCalls(ConnectionLoss? loss) => _loss = loss;

    public async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var lost = _loss?.Token ?? CancellationToken.None;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lost);
        try
        {
            return await call(end.Token);
        }
        catch (Exception exception) when (Reason(exception, lost, cancellationToken) is { } reason)
        {
            throw reason;
        }
    }

    public async IAsyncEnumerable<T> StreamAsync<T>(
        Func<CancellationToken, IAsyncEnumerable<T>> call,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var lost = _loss?.Token ?? CancellationToken.None;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lost);
        await using var items = call(end.Token).GetAsyncEnumerator(end.Token);
        while (await NextAsync())
        {
            yield return items.Current;
        }

        async ValueTask<bool> NextAsync()
        {
            try
            {
                return await items.MoveNextAsync();
            }
            catch (Exception exception) when (Reason(exception, lost, cancellationToken) is { } reason)
            {
                throw reason;
            }
        }
    }

    private static Exception? Reason(Exception exception, CancellationToken lost, CancellationToken cancellationToken) => exception switch
    {
        HeadClusterException => null,
        OperationCanceledException when cancellationToken.IsCancellationRequested =>
            new OperationCanceledException(exception.Message, exception, cancellationToken),
        OperationCanceledException when lost.IsCancellationRequested => Failure.ConnectionLost(exception),
        _ => Failure.Translate(exception),
    };
}
