namespace HeadCluster.Models.Tests;

/// <summary>
/// The weights and bias of a linear layer, kept element by element so that each layout can be written from its definition.
/// Elements are small multiples of 1/64, which float32, float16 and bfloat16 all hold exactly.
/// </summary>
internal sealed class Matrix(int seed, int inputs, int outputs, bool bias)
{
    public int Inputs => inputs;

    public int Outputs => outputs;

    public float[]? Bias => bias ? [.. Enumerable.Range(0, outputs).Select(output => Element(seed, -1, output))] : null;

    /// <summary>W, <c>[Inputs, Outputs]</c>.</summary>
    public float[] InputsFirst => Columns(0, outputs);

    /// <summary>Wᵀ, <c>[Outputs, Inputs]</c>.</summary>
    public float[] OutputsFirst =>
        [.. Enumerable.Range(0, outputs).SelectMany(output => Enumerable.Range(0, inputs).Select(input => Element(seed, input, output)))];

    /// <summary>Columns of W, <c>[Inputs, count]</c>.</summary>
    public float[] Columns(int first, int count) =>
        [.. Enumerable.Range(0, inputs).SelectMany(input => Enumerable.Range(first, count).Select(output => Element(seed, input, output)))];

    /// <summary>What reading some of the outputs must give.</summary>
    public void AssertPart(LinearWeights actual, int first, int count)
    {
        Assert.Equal((inputs, count), (actual.Inputs, actual.Outputs));
        Assert.Equal(Columns(first, count), actual.Read());
        Assert.Equal(Bias?.Skip(first).Take(count), actual.Bias);
    }

    /// <summary>What reading all of the outputs must give.</summary>
    public void AssertWhole(LinearWeights actual) => AssertPart(actual, 0, outputs);

    /// <summary>A number of its place: −128/64 … 127/64.</summary>
    public static float Element(int seed, int row, int column)
    {
        var mixed = (uint)((seed * 73_856_093) ^ (row * 19_349_663) ^ (column * 83_492_791));
        mixed = (mixed ^ (mixed >> 15)) * 0x2C1B3C6D;
        return ((int)((mixed >> 13) & 255) - 128) / 64f;
    }

    /// <summary>Numbers of a vector.</summary>
    public static float[] Vector(int seed, int length) => [.. Enumerable.Range(0, length).Select(i => Element(seed, 0, i))];
}
