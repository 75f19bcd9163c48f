namespace HeadCluster.Models;

/// <summary>The projections of one head: one key/value head with the query heads that read it.</summary>
/// <param name="Query">W_Q and its bias, from ModelDim to QueryHeadsPerKvHead · HeadDim: the query heads side by side.</param>
/// <param name="Key">W_K and its bias, from ModelDim to HeadDim.</param>
/// <param name="Value">W_V and its bias, from ModelDim to ValueDim.</param>
public sealed record HeadWeights(LinearWeights Query, LinearWeights Key, LinearWeights Value);
