using System.Globalization;

namespace HeadCluster;

/// <summary>What a request's time limit may be.</summary>
internal static class TimeLimits
{
    /// <summary>How long Orleans lets these calls take at most (their <see cref="ResponseTimeoutAttribute"/>).</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <summary>Checks that a limit is more than zero and no longer than the call may take anyway.</summary>
    /// <exception cref="HeadClusterException">It is not.</exception>
    public static void Check(TimeSpan? limit)
    {
        if (limit <= TimeSpan.Zero || limit > Longest)
        {
            throw HeadClusterException.InvalidInput(string.Create(
                CultureInfo.InvariantCulture,
                $"the time limit is {limit.Value.TotalSeconds} s; expected more than 0 and at most {Longest.TotalSeconds} s"));
        }
    }
}
