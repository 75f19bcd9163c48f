namespace HeadCluster.Scheduling;

/// <summary>One head that moves.</summary>
/// <param name="Index">Index of the head in the problem.</param>
/// <param name="Head">The head.</param>
/// <param name="From">Its silo; null if that is gone or going.</param>
/// <param name="To">The silo it moves to.</param>
public readonly record struct HeadMove(int Index, HeadId Head, SiloAddress? From, SiloAddress To);
