namespace HeadCluster.Kernels;

/// <summary>The largest values of a row.</summary>
public static class LargestKernel
{
    /// <summary>Selects the largest values, the largest first and the lowest index first among equals.</summary>
    /// <param name="row">The values, none NaN.</param>
    /// <param name="values">As many as are wanted, at most as many as there are.</param>
    /// <param name="indices">The place of each in the row, as long as <paramref name="values"/>.</param>
    /// <exception cref="ArgumentException">More are wanted than there are, or the spans are not as long as each other.</exception>
    public static void Select(ReadOnlySpan<float> row, Span<float> values, Span<int> indices)
    {
        Check.AtLeast(row.Length, values.Length, nameof(row));
        ArgumentOutOfRangeException.ThrowIfNotEqual(indices.Length, values.Length, nameof(indices));
        var count = 0;
        for (var i = 0; i < row.Length && values.Length > 0; i++)
        {
            if (count == values.Length && row[i] <= values[count - 1])
            {
                continue;
            }

            // Behind all that are as large: they came first.
            var place = count == values.Length ? count - 1 : count++;
            for (; place > 0 && values[place - 1] < row[i]; place--)
            {
                (values[place], indices[place]) = (values[place - 1], indices[place - 1]);
            }

            (values[place], indices[place]) = (row[i], i);
        }
    }
}
