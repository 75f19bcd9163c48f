namespace HeadCluster.Kernels.Tests.Attention;

/// <summary>Sizes around vectors, tiles and blocks, queries and output ending where memory does, each row to the bit.</summary>
public sealed class AttentionBoundaryTests
{
    private static readonly int[] KeyCounts =
    [
        1, 15, 16, 17, 47, 48, 49, 63, 64, 65,
        AttentionKernel.BlockKeys - 1, AttentionKernel.BlockKeys, AttentionKernel.BlockKeys + 1, (2 * AttentionKernel.BlockKeys) + 1,
    ];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 15)]
    [InlineData(8, 16)]
    [InlineData(16, 17)]
    [InlineData(17, 47)]
    [InlineData(48, 48)]
    [InlineData(49, 49)]
    [InlineData(64, 64)]
    [InlineData(65, 97)]
    public void Attention_of_any_number_of_rows_and_keys_has_the_bits_of_the_contract(int headDim, int valueDim)
    {
        foreach (var keys in KeyCounts)
        {
            foreach (var rows in (int[])[1, 2, 5, 6, 7, 8, 9, 17])
            {
                var options = new AttentionOptions(AttentionOptions.DefaultScale(headDim), Causal: rows % 2 == 1);
                var problem = new AttentionCase(headDim, valueDim, rows, Math.Max(0, keys - rows), keys, options, MaskKind.None, 1, keys);
                Data.SameBits(problem.ContractOutput(), problem.Attend());
            }
        }
    }

    [Fact]
    public void Pattern_of_any_number_of_keys_equals_its_definition_and_stays_within_its_span()
    {
        for (var keys = 1; keys <= AttentionKernel.BlockKeys + 17; keys++)
        {
            var problem = new AttentionCase(9, 1, 3, keys - 3 + (keys % 5), keys, new AttentionOptions(1, Causal: keys > 3), MaskKind.None, 1, keys);
            problem = problem with { FirstPosition = Math.Max(0, problem.FirstPosition) };
            Tolerance.Function.Check(problem.DefinedPattern(), problem.Pattern());
        }
    }

    // The rows of a tile then end in different blocks, or the tile lies across the beginning of one.
    [Fact]
    public void Causal_rows_across_the_beginning_of_a_block_have_the_bits_of_the_contract()
    {
        const int Block = AttentionKernel.BlockKeys;
        foreach (var boundary in (int[])[Block, 2 * Block])
        {
            for (var firstPosition = boundary - 18; firstPosition <= boundary + 2; firstPosition++)
            {
                var problem = new AttentionCase(
                    8, 18, 17, firstPosition, firstPosition + 17, new AttentionOptions(0.5f, Causal: true), MaskKind.None, 1, firstPosition);
                Data.SameBits(problem.ContractOutput(), problem.Attend());
            }
        }
    }

    [Fact]
    public void Causal_rows_before_and_beyond_the_keys_see_what_is_there()
    {
        // The cache holds keys ahead of the first queries, and ends before the last.
        for (var firstPosition = 0; firstPosition < 40; firstPosition++)
        {
            var problem = new AttentionCase(5, 7, 11, firstPosition, 30, new AttentionOptions(0.5f, Causal: true), MaskKind.None, 1, 3);
            Data.SameBits(problem.ContractOutput(), problem.Attend());
        }
    }
}
