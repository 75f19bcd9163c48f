using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Attention;

public sealed class ScoresTests
{
    [Theory]
    [InlineData(3, false)]
    [InlineData(AttentionKernel.BlockKeys - 1, true)]
    [InlineData(AttentionKernel.BlockKeys + 1, true)]
    [InlineData(AttentionKernel.BlockKeys + 45, false)]
    public void Kernel_scores_of_several_tiles_and_blocks_equal_their_definition(int length, bool causal)
    {
        foreach (var softcap in (float[])[0, 2])
        {
            var (queries, keys) = (Data.Noise(length, length * 21), Data.Noise(length + 1, length * 21));
            var expected = AttentionDefinition.Scores<double>(
                Data.Widen(queries), Data.Widen(keys), length, length, 21, 0.3f, causal, firstPosition: 0, softcap, mask: []);
            Tolerance.Sum.Check(expected, KernelScores.Compute(queries, keys, 21, new AttentionOptions(0.3f, causal, softcap)));
        }
    }
}
