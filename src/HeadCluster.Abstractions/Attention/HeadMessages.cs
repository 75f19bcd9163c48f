namespace HeadCluster;

/// <summary>Asks one head for its output.</summary>
/// <param name="Input">The layer's input x, <c>[rows, ModelDim]</c>: the sequences one after the other.</param>
/// <param name="SequenceLengths">Rows of each sequence; they add up to the rows of <paramref name="Input"/>. Rows attend only within their own sequence.</param>
/// <param name="Patterns">The reply carries the attention pattern too if the head is among these; null for none. It changes no bit of the output.</param>
/// <param name="Sequence">The sequence that the rows go on with; null for sequences that are whole.</param>
[GenerateSerializer, Immutable, Alias("hc.HeadRequest")]
public sealed record HeadRequest(
    [property: Id(0)] FloatTensor Input,
    [property: Id(1)] int[] SequenceLengths,
    [property: Id(2)] PatternSelection? Patterns = null,
    [property: Id(3)] CachedSequence? Sequence = null);

/// <summary>What one head computed.</summary>
/// <param name="Output">z, <c>[rows, query heads of this head × ValueDim]</c>, before W_O.</param>
/// <param name="Report">Where and how long it was computed.</param>
[GenerateSerializer, Immutable, Alias("hc.HeadResult")]
public sealed record HeadResult([property: Id(0)] FloatTensor Output, [property: Id(1)] HeadReport Report);

/// <summary>Where one head was computed for one request, how long its parts took and, if asked for, what it attended to.</summary>
/// <param name="Head">The head.</param>
/// <param name="Silo">The silo on which it was computed.</param>
/// <param name="Queue">From the head's turn to the start of its computation: the wait for a compute thread.</param>
/// <param name="Project">The projections x W_Q, x W_K, x W_V.</param>
/// <param name="Attend">Scores, softmax and the weighted sum of the values.</param>
/// <param name="Patterns">What it attended to in each sequence; null unless asked for.</param>
[GenerateSerializer, Immutable, Alias("hc.HeadReport")]
public sealed record HeadReport(
    [property: Id(0)] HeadId Head,
    [property: Id(1)] SiloAddress Silo,
    [property: Id(2)] TimeSpan Queue,
    [property: Id(3)] TimeSpan Project,
    [property: Id(4)] TimeSpan Attend,
    [property: Id(5)] HeadPattern[]? Patterns = null);
