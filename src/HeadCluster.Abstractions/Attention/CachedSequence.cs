namespace HeadCluster;

/// <summary>
/// A sequence whose keys and values the heads keep from request to request, so that each brings only the rows that are new: a step of
/// generation computes one row and not all of them. The bits are those of the whole sequence at once.
/// </summary>
/// <remarks>
/// A head keeps them for ten minutes after the sequence was last asked for, if its silo has room (<c>HeadCluster:SequenceMemoryBytes</c>). Where it does
/// not have them, as after its silo died, the answer is an error of kind <see cref="HeadClusterErrorKind.StateLost"/>: the sequence is then sent from
/// its first row on, under the same id. A request that is sent again finds what it needs, as long as only one of the sequence is under way at a time.
/// An id stands for the same rows for ever: a sequence that goes on with others from some row on is another one, since a request that was given up may
/// still be on its way.
/// </remarks>
/// <param name="Id">Which sequence; never that of another, and not empty.</param>
/// <param name="Past">Positions before the request's first row: what requests before brought; 0 for the first rows.</param>
/// <param name="Capacity">Positions that it has in the end, or more: <paramref name="Past"/> and the request's rows up to the positions of the model.</param>
[GenerateSerializer, Immutable, Alias("hc.CachedSequence")]
public sealed record CachedSequence([property: Id(0)] Guid Id, [property: Id(1)] int Past, [property: Id(2)] int Capacity);
