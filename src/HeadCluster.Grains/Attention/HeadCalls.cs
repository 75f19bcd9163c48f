namespace HeadCluster.Grains;

/// <summary>Ordinary calls of heads.</summary>
internal static class HeadCalls
{
    /// <summary>Asks where a head is, which activates it if it is not active.</summary>
    public static Task<SiloAddress> FindAsync(IAttentionHeadGrain head, TimeProvider time, CancellationToken cancellationToken) =>
        // The first may only wait for a head that reads its weights: whichever is answered first.
        RepeatedCall.FirstAsync(head.LocateAsync, isLost: static _ => Task.FromResult(true), time, cancellationToken);

    /// <summary>Has a head compute, and asks once more where it has come back if it is not where it was when it was asked.</summary>
    public static async Task<HeadResult> AttendAsync(
        IAttentionHeadGrain head, HeadRequest request, TimeProvider time, CancellationToken cancellationToken)
    {
        var asked = await FindAsync(head, time, cancellationToken);
        return await RepeatedCall.FirstAsync(end => head.AttendAsync(request, end), HasLeftAsync, time, cancellationToken);

        async Task<bool> HasLeftAsync(CancellationToken end)
        {
            var before = asked;
            asked = await FindAsync(head, time, end);
            return !asked.Equals(before);
        }
    }
}
