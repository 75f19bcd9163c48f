namespace HeadCluster;

/// <summary>What a forward pass keeps besides the logits.</summary>
[Flags, GenerateSerializer, Alias("hc.ForwardCapture")]
public enum ForwardCapture
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The residual stream after every block.</summary>
    Blocks = 2,
}

/// <summary>Asks a whole model for the logits of one or more sequences.</summary>
/// <param name="Tokens">The token ids, the sequences one after the other.</param>
/// <param name="SequenceLengths">Tokens of each sequence, adding up to all tokens; null for one sequence.</param>
/// <param name="Capture">What to keep besides the logits; it changes no bit of them.</param>
/// <param name="Patterns">Which heads' reports carry their attention patterns; null for none. It changes no bit of the logits.</param>
/// <param name="Id">The same for each time that the request is sent; empty for one that is never sent again.</param>
/// <param name="TimeLimit">
/// How long it may take from its arrival on, up to 10 minutes; then its work ends on every silo and the answer is an error of kind
/// <see cref="HeadClusterErrorKind.Timeout"/>. Null for no limit of its own.
/// </param>
[GenerateSerializer, Immutable, Alias("hc.ForwardRequest")]
public sealed record ForwardRequest(
    [property: Id(0)] int[] Tokens,
    [property: Id(1)] int[]? SequenceLengths = null,
    [property: Id(2)] ForwardCapture Capture = ForwardCapture.None,
    [property: Id(5)] PatternSelection? Patterns = null,
    [property: Id(3)] Guid Id = default,
    [property: Id(4)] TimeSpan? TimeLimit = null);

/// <summary>The logits of one or more sequences.</summary>
/// <param name="Logits"><c>[tokens, VocabularySize]</c>.</param>
/// <param name="Layers">For each layer one report a head, in the order of the heads.</param>
/// <param name="Blocks">The residual stream <c>[tokens, ModelDim]</c> after each block; null unless asked for.</param>
[GenerateSerializer, Immutable, Alias("hc.ForwardResult")]
public sealed record ForwardResult(
    [property: Id(0)] FloatTensor Logits,
    [property: Id(1)] HeadReport[][] Layers,
    [property: Id(2)] FloatTensor[]? Blocks = null)
{
    /// <summary>For each layer how long its parts took.</summary>
    [Id(3)]
    public LayerReport[] Times { get; init; } = [];
}

/// <summary>How long one block of a model took for one request: attention, then feed-forward.</summary>
/// <param name="Silos">One report a group of heads that was served together.</param>
/// <param name="Attention">Heads and output projection.</param>
/// <param name="OutputProjection">What was left of the output projection when the last head had answered.</param>
/// <param name="FeedForward">The feed-forward layer.</param>
[GenerateSerializer, Immutable, Alias("hc.LayerReport")]
public sealed record LayerReport(
    [property: Id(0)] SiloReport[] Silos,
    [property: Id(1)] TimeSpan Attention,
    [property: Id(2)] TimeSpan OutputProjection,
    [property: Id(3)] TimeSpan FeedForward);

/// <summary>Asks a whole model to continue a sequence, taking the most likely token at each step.</summary>
/// <param name="Tokens">The prompt's token ids, at least one.</param>
/// <param name="Steps">Tokens to generate; prompt and steps together are at most the model's positions, plus one.</param>
/// <param name="TimeLimit">
/// How long all tokens together may take from its arrival on, up to 10 minutes, with the time that their reader takes; as of
/// <see cref="ForwardRequest"/>, and the tokens that came before stand.
/// </param>
/// <param name="Id">By what it is asked whether the next token is being computed; empty for one that nobody asks about.</param>
[GenerateSerializer, Immutable, Alias("hc.GenerationRequest")]
public sealed record GenerationRequest(
    [property: Id(0)] int[] Tokens, [property: Id(1)] int Steps, [property: Id(2)] TimeSpan? TimeLimit = null, [property: Id(3)] Guid Id = default);

/// <summary>One generated token.</summary>
/// <param name="Position">Its place in the sequence, counted from the prompt's first token.</param>
/// <param name="Token">Its id: the largest logit, the lowest id among equals.</param>
/// <param name="Probability">Its probability under the softmax of the logits.</param>
[GenerateSerializer, Immutable, Alias("hc.GeneratedToken")]
public sealed record GeneratedToken([property: Id(0)] int Position, [property: Id(1)] int Token, [property: Id(2)] float Probability);
