using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Recorded.Onnx;

public sealed class OnnxAttentionTests
{
    public static TheoryData<string> AttentionCases => OnnxCase.Named("Attention");

    [Theory]
    [MemberData(nameof(AttentionCases))]
    public void Attention_equals_the_recorded_outputs(string name)
    {
        var node = OnnxCase.Load(name);
        node.CheckAttributes("is_causal", "scale", "softcap", "q_num_heads", "kv_num_heads", "qk_matmul_output_mode");
        Assert.Null(node.Input(6));
        var q = Heads.Of(node.Input(0)!, node.Integer("q_num_heads", 0));
        var (pastKeys, pastValues) = (node.Input(4), node.Input(5));
        var keys = Heads.Of(node.Input(1)!, node.Integer("kv_num_heads", 0)).After(pastKeys);
        var values = Heads.Of(node.Input(2)!, node.Integer("kv_num_heads", 0)).After(pastValues);
        var (past, length) = (pastKeys?.Shape[2] ?? 0, keys.Rows);
        var options = new AttentionOptions(
            node.Float("scale", AttentionOptions.DefaultScale(q.Columns)),
            node.Integer("is_causal", 0) != 0,
            node.Float("softcap", 0));

        var mask = node.Input(3);
        var output = new float[q.Batch * q.Count * q.Rows * values.Columns];
        var scores = new float[q.Batch * q.Count * q.Rows * length];
        for (var head = 0; head < q.Batch * q.Count; head++)
        {
            var (batch, query) = Math.DivRem(head, q.Count);
            var shared = (batch * keys.Count) + (query / (q.Count / keys.Count));
            using var cache = new KvCache(keys.Columns, values.Columns, length);
            cache.Append(keys.Head(shared), keys.Columns, values.Head(shared), values.Columns, length);
            var (columns, rows) = MaskRows(mask, batch, query, q.Rows);
            var visible = rows.Select(value => value != 0).ToArray();
            var attentionMask = mask is null ? AttentionMask.None
                : mask.Type == OnnxType.Boolean ? AttentionMask.Boolean(visible, columns)
                : AttentionMask.Additive(rows, columns);

            AttentionKernel.Attend(
                q.Head(head), q.Columns, q.Rows, past, cache, options, attentionMask, output.AsSpan(head * q.Rows * values.Columns), values.Columns);

            var headScores = scores.AsSpan(head * q.Rows * length, q.Rows * length);
            if (node.Integer("qk_matmul_output_mode", 0) == 3)
            {
                AttentionKernel.Pattern(q.Head(head), q.Columns, q.Rows, past, cache, options, attentionMask, headScores);
            }
            else
            {
                var bias = DefinedMask(rows, columns, mask?.Type == OnnxType.Boolean, q.Rows, length);
                var mode = node.Integer("qk_matmul_output_mode", 0);
                DefinedScores(mode, q.Head(head), keys.Head(shared), q, length, past, options, bias).CopyTo(headScores);
            }
        }

        var type = node.Input(0)!.Type;
        var tolerance = type == OnnxType.Half ? Tolerance.RecordedHalf : Tolerance.Recorded;
        Assert.InRange(node.OutputCount, 1, 4);
        tolerance.Check(Heads.Of(node.Output(0)!, q.Count).Values, output);
        Compare(tolerance, node.Output(1), keys.Values);
        Compare(tolerance, node.Output(2), values.Values);
        Compare(tolerance, node.Output(3), scores);
    }

    private static void Compare(Tolerance tolerance, OnnxTensor? expected, float[] actual)
    {
        if (expected is not null)
        {
            tolerance.Check(expected.Values, actual);
        }
    }

    // What the kernels never write down: 0 scaled products, 1 after the softcap, 2 after the mask.
    private static float[] DefinedScores(
        int mode, ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, Heads q, int length, int past, AttentionOptions options, float[] bias) =>
        AttentionDefinition.Scores<float>(
            queries,
            keys,
            q.Rows,
            length,
            q.Columns,
            options.Scale,
            mode == 2 && options.Causal,
            past,
            mode == 0 ? 0 : options.Softcap,
            mode == 2 ? bias : []);

    private static float[] DefinedMask(float[] rows, int columns, bool boolean, int queries, int length)
    {
        var mask = rows.Length == 0 ? [] : new float[queries * length];
        for (var i = 0; i < mask.Length; i++)
        {
            var (row, key) = Math.DivRem(i, length);
            var value = key < columns ? rows[(row * columns) + key] : float.NegativeInfinity;
            mask[i] = boolean ? (value > 0 ? 0 : float.NegativeInfinity) : value;
        }

        return mask;
    }

    // The mask [rows, columns] of one head; axes of length 1, and those left out in front, hold for all.
    private static (int Columns, float[] Rows) MaskRows(OnnxTensor? mask, int batch, int head, int queries)
    {
        if (mask is null)
        {
            return (0, []);
        }

        int[] shape = [.. Enumerable.Repeat(1, 4 - mask.Shape.Length), .. mask.Shape];
        var (columns, matrix) = (shape[3], (batch % shape[0] * shape[1]) + (head % shape[1]));
        var rows = new float[queries * columns];
        for (var row = 0; row < queries; row++)
        {
            mask.Values.AsSpan(((matrix * shape[2]) + (row % shape[2])) * columns, columns).CopyTo(rows.AsSpan(row * columns));
        }

        return (columns, rows);
    }

    // Values [Batch, Count, Rows, Columns].
    private sealed record Heads(int Batch, int Count, int Rows, int Columns, float[] Values)
    {
        public ReadOnlySpan<float> Head(int index) => Values.AsSpan(index * Rows * Columns, Rows * Columns);

        // [B, H, S, D] as it is, or [B, S, H·D] cut into heads.
        public static Heads Of(OnnxTensor tensor, int heads)
        {
            var shape = tensor.Shape;
            if (shape.Length == 4)
            {
                return new Heads(shape[0], shape[1], shape[2], shape[3], tensor.Values);
            }

            var (rows, columns) = (shape[1], shape[2] / heads);
            var values = new List<float>();
            for (var head = 0; head < shape[0] * heads; head++)
            {
                var batch = tensor.Values.AsSpan(head / heads * rows * shape[2], rows * shape[2]);
                values.AddRange(Data.Columns(batch, shape[2], head % heads * columns, columns));
            }

            return new Heads(shape[0], heads, rows, columns, [.. values]);
        }

        public Heads After(OnnxTensor? past)
        {
            if (past is null)
            {
                return this;
            }

            var values = new List<float>();
            for (var head = 0; head < Batch * Count; head++)
            {
                values.AddRange(past.Values.AsSpan(head * past.Count(2..), past.Count(2..)));
                values.AddRange(Head(head));
            }

            return this with { Rows = Rows + past.Shape[2], Values = [.. values] };
        }
    }
}
