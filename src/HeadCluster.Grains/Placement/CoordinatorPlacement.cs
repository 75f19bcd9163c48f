using Orleans.Placement;

namespace HeadCluster.Grains;

/// <summary>Places the coordinators of a model together: where its plan says, or else beside their caller.</summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("hc.CoordinatorPlacement")]
internal sealed class CoordinatorPlacement : PlacementStrategy;

/// <summary>Marks a grain whose key is a model's name or a <see cref="LayerId"/> as placed by <see cref="CoordinatorPlacementDirector"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class CoordinatorPlacementAttribute() : PlacementAttribute(new CoordinatorPlacement());
