using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>
/// y = Concat(z_1 … z_h) W_O + b_O. It begins with the first heads while others are still computed elsewhere: each element of y is one
/// chain over the heads in their order, so its bits do not depend on how many come at a time.
/// </summary>
internal static class OutputProjection
{
    /// <summary>Computes y, as the heads come.</summary>
    /// <param name="pool">Threads to compute on. What heads of this silo have to compute there goes first.</param>
    /// <param name="weights">W_O and b_O.</param>
    /// <param name="heads">Says which heads are there.</param>
    /// <param name="z">Their outputs, <c>[rows, heads · width]</c>.</param>
    /// <param name="headsHere">How many of them this silo computes.</param>
    /// <param name="turn">The request's turn on the threads.</param>
    /// <param name="cancellationToken">Ends it, also the wait for heads.</param>
    /// <returns>y, <c>[rows, ModelDim]</c>.</returns>
    public static async Task<FloatTensor> ApplyAsync(
        ComputePool pool,
        PackedMatrix weights,
        ArrivingHeads heads,
        FloatTensor z,
        int headsHere,
        long turn,
        CancellationToken cancellationToken)
    {
        var (all, width) = (heads.Matrix.Heads, heads.Matrix.Width);
        var operationsPerHeadAndRow = 2L * width * weights.Outputs;

        // Fewer are not worth a thread's attention, and wait for those that follow.
        var least = (int)Math.Clamp(ComputePool.InlineOperations / (operationsPerHeadAndRow * z.Rows), 1, all);

        // Until so many of this silo's own are there, all of its threads compute those. They come one by one, if at the same time, and
        // each time that y is gone through costs its memory traffic.
        await heads.WaitAsync(Math.Clamp(headsHere - pool.ThreadCount + 1, least, all), cancellationToken);
        using var span = new SpanScope(Spans.StartLeaf("output_projection"));
        var output = FloatTensor.Rent(out var y, z.Rows, weights.Outputs);
        if (z.Rows == 1)
        {
            // Memory sets the pace: each weight is read once, by whichever thread.
            await heads.WaitAsync(all, cancellationToken);
            var parts = new ProductParts(rows: 1, weights, pool.ThreadCount);
            await span.WatchAsync(pool.RunPartsAsync(
                parts.Count,
                parts.Operations,
                (part, token) => parts.Compute(part, z.Span, y, token),
                new ComputeOrder(turn, all),
                cancellationToken: cancellationToken));
            return output;
        }

        for (var done = 0; done < all;)
        {
            var first = done;
            var there = await heads.WaitAsync(Math.Min(first + least, all), cancellationToken);

            // All that are there when a thread takes it up.
            var end = new Lazy<int>(() => heads.Leading);
            await span.WatchAsync(pool.RunRowsAsync(
                z.Rows,
                operationsPerHeadAndRow * (there - first),
                (row, count, token) => LinearKernel.ApplyInputs(
                    z.Span.Slice(row * weights.Inputs, count * weights.Inputs),
                    count,
                    weights,
                    first * width,
                    (end.Value - first) * width,
                    y.AsSpan(row * weights.Outputs, count * weights.Outputs),
                    token),
                new ComputeOrder(turn, all),
                cancellationToken));
            done = end.Value;
        }

        return output;
    }
}
