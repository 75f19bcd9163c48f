using System.Globalization;

namespace HeadCluster.Client;

/// <summary>The one place where what Orleans throws about connections and silos becomes a <see cref="HeadClusterException"/>.</summary>
internal static class Failure
{
    /// <summary>The error of a cluster that could not be reached.</summary>
    public static HeadClusterException Unreachable(HeadClusterClientOptions options, TimeSpan tried, Exception? cause)
    {
        var (where, mend) = options.Discovery == GatewayDiscovery.Static
            ? ($"at {string.Join(", ", options.StaticGateways)}", "start one there or name the gateway of a running one")
            : ($"that {options.Discovery} lists", "start one, or mend where the list is looked for");
        var seconds = tried.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
        var reason = cause is null ? "" : $" ({FirstLine(cause.GetBaseException().Message)})";
        return Unavailable(
            $"no silo of cluster '{options.ClusterId}' answered {where} within {seconds} s{reason}; {mend}",
            cause);
    }

    /// <summary>The error of a call whose answer went with the connection.</summary>
    public static HeadClusterException ConnectionLost(Exception cause) =>
        Unavailable("the connection to the cluster was lost before the answer came; send the request again", cause);

    /// <summary>The error of a request whose silo serves it no longer and has not answered.</summary>
    public static HeadClusterException RequestLost() =>
        Unavailable("the request was lost with the silo that served it; send the request again", cause: null);

    /// <summary>The error of a request that nobody answered in its time.</summary>
    public static HeadClusterException TimeLimitPassed(TimeBudget budget) => new(HeadClusterErrorKind.Timeout, string.Create(
        CultureInfo.InvariantCulture,
        $"the time limit of {budget.Limit!.Value.TotalSeconds:0.000} s passed after {budget.Elapsed.TotalSeconds:0.000} s, and no silo said what was pending"));

    /// <summary>The error that a call's exception stands for, or null for one that is not about connections and silos.</summary>
    public static HeadClusterException? Translate(Exception exception) => exception switch
    {
        // Its grain has moved or gone with a silo between two items, or nobody has read on for a while.
        EnumerationAbortedException => Unavailable("the rest of the answer was lost with the grain that gave it; send the request again", exception),
        TimeoutException => Unavailable("the cluster did not answer within the call's time limit; send the request again", exception),
        GatewayTooBusyException => Unavailable("the gateway is overloaded; send the request again later", exception),
        OrleansException => Unavailable(
            $"a silo could not be reached ({exception.GetType().Name}); send the request again",
            exception),
        _ => null,
    };

    private static HeadClusterException Unavailable(string message, Exception? cause) =>
        new(HeadClusterErrorKind.Unavailable, message, cause);

    private static string FirstLine(string text) => text.Split('\n', 2)[0].Trim();
}
