namespace HeadCluster.Grains;

/// <summary>
/// The requests that a reentrant grain is serving, by id. One that is sent again meanwhile, since its caller took it for lost,
/// is not computed again: it gets the answer of the first.
/// </summary>
/// <typeparam name="TResult">The answer.</typeparam>
internal sealed class ServedRequests<TResult>
{
    private readonly Dictionary<Guid, Service> _served = [];

    public bool Contains(Guid request) => _served.ContainsKey(request);

    /// <summary>Serves a request, or waits for the answer if it is being served.</summary>
    /// <param name="request">Its id; empty for one that is never sent again.</param>
    /// <param name="serve">Computes the answer.</param>
    /// <param name="whenUnshared">Done to an answer that only this caller gets.</param>
    /// <param name="cancellationToken">That of this caller: it does not end the service of another.</param>
    public async Task<TResult> ServeAsync(
        Guid request, Func<Task<TResult>> serve, Action<TResult>? whenUnshared, CancellationToken cancellationToken)
    {
        while (_served.TryGetValue(request, out var first))
        {
            first.IsShared = true;
            try
            {
                return await first.Answer.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The first caller gave up; this one did not.
            }
        }

        var service = new Service(serve());
        if (request != Guid.Empty)
        {
            _served.Add(request, service);
        }

        try
        {
            var answer = await service.Answer;
            if (!service.IsShared)
            {
                whenUnshared?.Invoke(answer);
            }

            return answer;
        }
        finally
        {
            _served.Remove(request);
        }
    }

    private sealed class Service(Task<TResult> answer)
    {
        public Task<TResult> Answer => answer;

        public bool IsShared { get; set; }
    }
}
