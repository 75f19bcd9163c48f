namespace HeadCluster;

/// <summary>
/// What the query heads of one head attended to in one sequence: whole, or of each row the largest entries. Row i is position i of the
/// sequence, and its entries are the shares of its attention that the keys got.
/// </summary>
/// <param name="Shares">
/// Whole: <c>[query heads, length, length]</c>, each row summing to 1. Else <c>[query heads, length, count]</c>: of each row the largest
/// entries, the largest first; their bits are those of the whole.
/// </param>
/// <param name="Keys">
/// The key of each of these entries, in their order; the lowest first among equal shares, and no key twice in a row. Null for a whole
/// pattern.
/// </param>
[GenerateSerializer, Immutable, Alias("hc.HeadPattern")]
public sealed record HeadPattern([property: Id(0)] FloatTensor Shares, [property: Id(1)] int[]? Keys = null)
{
    /// <summary>Whether every entry is there.</summary>
    public bool IsWhole => Keys is null;

    /// <summary>Query heads that share the head's keys and values; 1 unless queries are grouped.</summary>
    public int QueryHeads => Shares.Shape[0];

    /// <summary>Positions of the sequence.</summary>
    public int Length => Shares.Shape[1];

    /// <summary>Entries of a row that are there.</summary>
    public int Kept => Shares.Shape[2];

    /// <summary>Memory that it takes, in bytes.</summary>
    public long Bytes => ((long)Shares.Length * sizeof(float)) + ((long)(Keys?.Length ?? 0) * sizeof(int));

    /// <summary>The entries of one row that are there.</summary>
    /// <param name="queryHead">The query head, from 0.</param>
    /// <param name="row">The position that looks.</param>
    public ReadOnlySpan<float> Row(int queryHead, int row) => Shares.Span.Slice(Start(queryHead, row), Kept);

    /// <summary>The keys of the entries of one row; empty for a whole pattern, where entry j is key j.</summary>
    /// <param name="queryHead">The query head, from 0.</param>
    /// <param name="row">The position that looks.</param>
    public ReadOnlySpan<int> RowKeys(int queryHead, int row) => IsWhole ? [] : Keys.AsSpan(Start(queryHead, row), Kept);

    /// <summary>The whole pattern of one query head, <c>[length, length]</c>.</summary>
    /// <exception cref="InvalidOperationException">Only the largest entries are there.</exception>
    public ReadOnlySpan<float> Matrix(int queryHead) => IsWhole
        ? Shares.Span.Slice(queryHead * Length * Length, Length * Length)
        : throw new InvalidOperationException($"only the {Kept} largest entries of each row are there");

    private int Start(int queryHead, int row) => ((queryHead * Length) + row) * Kept;
}
