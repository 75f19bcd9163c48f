namespace HeadCluster.Client;

/// <summary>
/// Sends a large request of several sequences in parts. Rows attend only within their own sequence, so that the parts give the
/// bits of the whole; and neither the network nor a silo ever holds more of it than a few parts.
/// </summary>
internal static class SequenceParts
{
    /// <summary>What a part holds at most, in bytes of x, unless one sequence is longer.</summary>
    private const long PartBytes = 16 << 20;

    /// <summary>Parts under way: while one is computed, the next is being sent.</summary>
    private const int PartsInFlight = 3;

    /// <summary>Asks for each part and puts the answers together.</summary>
    /// <param name="request">The whole request; its sequences add up to its rows.</param>
    /// <param name="ask">Asks for one part.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<AttentionResult> AttendAsync(
        AttentionRequest request, Func<AttentionRequest, CancellationToken, Task<AttentionResult>> ask, CancellationToken cancellationToken)
    {
        if (!IsWorthSplitting(request))
        {
            return await ask(request, cancellationToken);
        }

        var parts = Split(request, request.SequenceLengths!);
        var output = FloatTensor.Rent(out var y, request.Input.Rows, request.Input.Columns);
        var answers = new AttentionResult[parts.Count];
        await Parallel.ForAsync(
            0,
            parts.Count,
            new ParallelOptions { MaxDegreeOfParallelism = PartsInFlight, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                var (firstRow, part) = parts[i];
                var answer = await AskAsync(firstRow, part, token);
                answer.Output.Span.CopyTo(y.AsSpan(firstRow * request.Input.Columns));
                answer.Output.Release();
                answers[i] = answer;
            });

        var heads = new HeadReport[answers[0].Heads.Length];
        for (var head = 0; head < heads.Length; head++)
        {
            heads[head] = Sum(Array.ConvertAll(answers, answer => answer.Heads[head]));
        }

        return new AttentionResult(output, heads, [.. answers.SelectMany(answer => answer.Silos)])
        {
            Elapsed = Sum(answers, answer => answer.Elapsed),
            OutputProjection = Sum(answers, answer => answer.OutputProjection),
        };

        async Task<AttentionResult> AskAsync(int firstRow, AttentionRequest part, CancellationToken token)
        {
            try
            {
                return await ask(part, token);
            }
            catch (HeadClusterException exception) when (firstRow > 0)
            {
                throw new HeadClusterException(exception.Kind, $"in the part from row {firstRow} on: {exception.Message}", exception)
                {
                    RetryAfter = exception.RetryAfter,
                };
            }
        }
    }

    // What is wrong with a request is for the cluster to say, of the request as it came.
    private static bool IsWorthSplitting(AttentionRequest request) =>
        (long)request.Input.Length * sizeof(float) > PartBytes
        && request is { Sequence: null, Input.Rank: 2, SequenceLengths: { Length: > 1 } lengths }
        && lengths.All(length => length > 0)
        && lengths.Sum(length => (long)length) == request.Input.Rows;

    private static List<(int FirstRow, AttentionRequest Part)> Split(AttentionRequest request, int[] lengths)
    {
        var parts = new List<(int, AttentionRequest)>();
        var most = PartBytes / (sizeof(float) * request.Input.Columns);
        for (int sequence = 0, row = 0; sequence < lengths.Length;)
        {
            var (first, rows) = (sequence, 0);
            do
            {
                rows += lengths[sequence++];
            }
            while (sequence < lengths.Length && rows + lengths[sequence] <= most);

            parts.Add((row, request with { Input = request.Input.RowRange(row, rows), SequenceLengths = lengths[first..sequence], Id = Guid.Empty }));
            row += rows;
        }

        return parts;
    }

    // The times of the parts add up; a head is where its last part was.
    private static HeadReport Sum(HeadReport[] parts) => parts[^1] with
    {
        Queue = Sum(parts, part => part.Queue),
        Project = Sum(parts, part => part.Project),
        Attend = Sum(parts, part => part.Attend),
        Patterns = parts[0].Patterns is null ? null : [.. parts.SelectMany(part => part.Patterns!)],
    };

    private static TimeSpan Sum<T>(T[] parts, Func<T, TimeSpan> time) => TimeSpan.FromTicks(parts.Sum(part => time(part).Ticks));
}
