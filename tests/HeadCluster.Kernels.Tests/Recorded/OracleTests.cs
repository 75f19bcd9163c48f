using HeadCluster.Kernels.Tests.Attention;

namespace HeadCluster.Kernels.Tests.Recorded;

/// <summary>
/// Attention of the shipped model step by step, each from what PyTorch computed before it. Scores have a test of their own: a
/// softmax forgives what is added to all of them, and hides what is wrong with the small ones.
/// </summary>
public sealed class OracleTests
{
    private const int Sequences = 4, Heads = 3, Length = 11, HeadDim = 16;
    private static readonly AttentionOptions Causal = new(AttentionOptions.DefaultScale(HeadDim), Causal: true);
    private static readonly OracleTensors Oracle = new();

    public static TheoryData<int, int> LayerHeads =>
        new(from layer in Enumerable.Range(0, 3) from head in Enumerable.Range(0, Heads) select (layer, head));

    [Theory]
    [MemberData(nameof(LayerHeads))]
    public void Kernel_scores_are_those_of_the_oracle_masked_and_not(int layer, int head)
    {
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            var expected = Recorded(layer, "scores", sequence, head, Length).ToArray();
            var queries = Recorded(layer, "query", sequence, head, HeadDim);
            var keys = Recorded(layer, "key", sequence, head, HeadDim);
            Tolerance.Recorded.Check(expected, KernelScores.Compute(queries, keys, HeadDim, Causal with { Causal = false }));

            for (var i = 0; i < Length; i++)
            {
                expected.AsSpan(i * Length, Length)[(i + 1)..].Fill(float.NegativeInfinity);
            }

            Tolerance.Recorded.Check(expected, KernelScores.Compute(queries, keys, HeadDim, Causal));
        }
    }

    [Theory]
    [MemberData(nameof(LayerHeads))]
    public void Kernel_pattern_and_output_are_those_of_the_oracle(int layer, int head)
    {
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            using var cache = new KvCache(HeadDim, HeadDim, Length);
            cache.Append(
                Recorded(layer, "key", sequence, head, HeadDim), HeadDim, Recorded(layer, "value", sequence, head, HeadDim), HeadDim, Length);
            var queries = Recorded(layer, "query", sequence, head, HeadDim);
            var (pattern, output) = (new float[Length * Length], new float[Length * HeadDim]);
            AttentionKernel.Pattern(queries, HeadDim, Length, 0, cache, Causal, AttentionMask.None, pattern);
            AttentionKernel.Attend(queries, HeadDim, Length, 0, cache, Causal, AttentionMask.None, output, HeadDim);
            Tolerance.Recorded.Check(Recorded(layer, "pattern", sequence, head, Length), pattern);

            // The heads' outputs stand side by side.
            const int Columns = Heads * HeadDim;
            var outputs = Oracle[$"layers.{layer}.head_output"].Slice(sequence * Length * Columns, Length * Columns);
            Tolerance.Recorded.Check(Data.Columns(outputs, Columns, head * HeadDim, HeadDim), output);
        }
    }

    // [Length, columns] of one sequence and head.
    private static ReadOnlySpan<float> Recorded(int layer, string name, int sequence, int head, int columns) =>
        Oracle[$"layers.{layer}.{name}"].Slice(((sequence * Heads) + head) * Length * columns, Length * columns);
}
