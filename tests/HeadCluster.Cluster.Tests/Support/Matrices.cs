namespace HeadCluster.Tests;

/// <summary>Matrices for tests.</summary>
internal static class Matrices
{
    /// <summary>A matrix of values around 0 that all differ, the same for the same seed.</summary>
    public static FloatTensor Random(int rows, int columns, int seed = 1)
    {
        var random = new Random(seed);
        var values = new float[rows * columns];
        foreach (ref var value in values.AsSpan())
        {
            value = (random.NextSingle() * 4) - 2;
        }

        return new FloatTensor(values, rows, columns);
    }

    /// <summary>Rows of a matrix, picked by index.</summary>
    public static FloatTensor Rows(FloatTensor matrix, params ReadOnlySpan<int> rows)
    {
        var picked = new List<float>();
        foreach (var row in rows)
        {
            picked.AddRange(matrix.Row(row));
        }

        return new FloatTensor([.. picked], rows.Length, matrix.Columns);
    }
}
