namespace HeadCluster;

/// <summary>In what form the elements of layers' inputs and heads' outputs travel between silos.</summary>
[GenerateSerializer, Alias("hc.WirePrecision")]
public enum WirePrecision
{
    /// <summary>As they are: 4 bytes an element.</summary>
    Float32,

    /// <summary>
    /// Rounded to the nearest bfloat16, ties to even: 2 bytes an element, and an error of at most 2⁻⁸ of each (docs/numerics.md). The
    /// elements that do not travel are rounded alike, so that the bits of a result do not depend on where heads are.
    /// </summary>
    BFloat16,
}
