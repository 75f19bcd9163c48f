namespace HeadCluster.Models;

/// <summary>The form of a feed-forward layer's activation.</summary>
public enum Activation
{
    /// <summary>GELU in its tanh form (<c>gelu_new</c>).</summary>
    GeluTanh,

    /// <summary>GELU in its exact form, by the error function.</summary>
    GeluErf,
}

/// <summary>The sizes and constants of a model, whatever file they came from.</summary>
public sealed record ModelConfiguration
{
    /// <summary>Attention layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Width of the residual stream (d_model).</summary>
    public required int ModelDim { get; init; }

    /// <summary>Query heads of a layer.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key/value heads of a layer; divides <see cref="HeadCount"/>.</summary>
    public required int KvHeadCount { get; init; }

    /// <summary>Elements of a query or key (d_head).</summary>
    public required int HeadDim { get; init; }

    /// <summary>Elements of a value; <see cref="HeadDim"/> in most models.</summary>
    public required int ValueDim { get; init; }

    /// <summary>Positions the model knows: rows of a learned position table, or the limit its configuration states.</summary>
    public required int MaxSequenceLength { get; init; }

    /// <summary>Whether a position sees only itself and those before.</summary>
    public required bool Causal { get; init; }

    /// <summary>Factor of the products of queries and keys; 1/√HeadDim in most models.</summary>
    public required float Scale { get; init; }

    /// <summary>c > 0 bounds a score s to c·tanh(s / c); 0 for none.</summary>
    public float Softcap { get; init; }

    /// <summary>
    /// What its weight matrices are stored as, which is enough to hold them exactly; <see cref="TensorType.F32"/> where they differ.
    /// </summary>
    public TensorType WeightType { get; init; } = TensorType.F32;

    /// <summary>What makes it a whole GPT; null for a model that is attention layers only.</summary>
    public TransformerConfiguration? Transformer { get; init; }

    /// <summary>Query heads that read one key/value head.</summary>
    public int QueryHeadsPerKvHead => HeadCount / KvHeadCount;

    // What is packed for a kernel takes some elements more.
    private static long MostElements => Array.MaxLength - 64;

    /// <summary>Refuses a model of which an array cannot hold what is kept in one.</summary>
    /// <param name="where">The model, for the message.</param>
    /// <exception cref="ModelException">Something is too large.</exception>
    internal void ExpectArraysHold(string where)
    {
        Expect("the projections of a head", ModelDim, ((QueryHeadsPerKvHead + 1L) * HeadDim) + ValueDim);
        Expect("the output projection of a layer", (long)HeadCount * ValueDim, ModelDim);
        if (Transformer is { } transformer)
        {
            Expect("the embedding of tokens", transformer.VocabularySize, ModelDim);
            Expect("the embedding of positions", MaxSequenceLength, ModelDim);
            Expect("the feed-forward layer", ModelDim, transformer.FeedForwardDim);
        }

        void Expect(string what, long rows, long columns)
        {
            if (rows * columns > MostElements)
            {
                throw new ModelException($"{where}: {what}: {rows} × {columns} = {rows * columns} weights; expected at most {MostElements}");
            }
        }
    }
}

/// <summary>The sizes and constants of a GPT around its attention layers.</summary>
public sealed record TransformerConfiguration
{
    /// <summary>Number of tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int FeedForwardDim { get; init; }

    /// <summary>ε of the layer norms.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>Activation of the feed-forward layers.</summary>
    public required Activation Activation { get; init; }
}
