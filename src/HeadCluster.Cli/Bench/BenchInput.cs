namespace HeadCluster.Cli.Bench;

/// <summary>What a layer is given to compute: the same numbers in every process, from -1 to 1.</summary>
internal static class BenchInput
{
    /// <returns><c>[rows, ModelDim]</c>.</returns>
    public static FloatTensor Of(BenchShape shape) => Of(shape.Rows, shape.ModelDim);

    /// <returns><c>[rows, columns]</c>.</returns>
    /// <exception cref="HeadClusterException">It is more than a tensor holds.</exception>
    public static FloatTensor Of(int rows, int columns)
    {
        if ((long)rows * columns > FloatTensor.MaxLength)
        {
            throw HeadClusterException.InvalidInput($"{rows} rows of {columns} are more than a tensor holds; expected at most {FloatTensor.MaxLength / columns} rows");
        }

        var random = new Random(2);
        var x = new float[rows * columns];
        for (var i = 0; i < x.Length; i++)
        {
            x[i] = (2 * random.NextSingle()) - 1;
        }

        return new FloatTensor(x, rows, columns);
    }
}
