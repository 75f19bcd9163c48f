using System.Globalization;

namespace HeadCluster.Grains;

/// <summary>Tells the loss of a silo, after which the same call may be served by another, from the answers of a head.</summary>
internal static class SiloLoss
{
    /// <summary>
    /// Whether it may be the loss of a silo. What is not an answer in HeadCluster's own words is a silo that could not be
    /// reached or did not answer, or one that cancelled its own work because it stops.
    /// </summary>
    public static bool Is(Exception exception) => exception is
        OrleansException or TimeoutException or OperationCanceledException or HeadClusterException { Kind: HeadClusterErrorKind.Unavailable };

    /// <summary>The error of heads that could not be reached for as long as a layer tries.</summary>
    public static HeadClusterException Unreachable(LayerId layer, HeadGroup lost, TimeSpan elapsed, IEnumerable<int> pending, Exception last)
    {
        var waiting = pending.Except(lost.Heads).ToArray();
        return new HeadClusterException(HeadClusterErrorKind.Unavailable, string.Create(
            CultureInfo.InvariantCulture,
            $"layer {layer}: {lost} did not answer within {elapsed.TotalSeconds:0.0} s{(waiting.Length == 0 ? "" : $", with {HeadGroup.Describe(waiting)} pending")}: {last.Message.ReplaceLineEndings(" ")}"));
    }
}
