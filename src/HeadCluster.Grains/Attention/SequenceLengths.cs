using System.Globalization;

namespace HeadCluster.Grains;

/// <summary>Several sequences travel as one run of rows with the length of each.</summary>
internal static class SequenceLengths
{
    /// <summary>Checks that lengths are 1 to <paramref name="longest"/> each and add up to <paramref name="rows"/>.</summary>
    /// <exception cref="HeadClusterException">They do not.</exception>
    public static void Check(string where, ReadOnlySpan<int> lengths, int rows, int longest)
    {
        long sum = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] < 1 || lengths[i] > longest)
            {
                throw Invalid($"{where}: sequence {i} is {lengths[i]} long; expected 1 to {longest}, the positions of the model");
            }

            sum += lengths[i];
        }

        if (sum != rows)
        {
            throw Invalid($"{where}: the sequences are {sum} long in all; expected {rows}, as long as the input");
        }
    }

    private static HeadClusterException Invalid(FormattableString message) =>
        HeadClusterException.InvalidInput(message.ToString(CultureInfo.InvariantCulture));
}
