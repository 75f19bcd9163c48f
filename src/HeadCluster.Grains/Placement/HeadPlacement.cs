using Orleans.Placement;

namespace HeadCluster.Grains;

/// <summary>Places heads so that those of one layer are spread evenly over the silos.</summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("hc.HeadPlacement")]
internal sealed class HeadPlacement : PlacementStrategy;

/// <summary>Marks a grain whose key is a <see cref="HeadId"/> as placed by <see cref="HeadPlacementDirector"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class HeadPlacementAttribute() : PlacementAttribute(new HeadPlacement());
