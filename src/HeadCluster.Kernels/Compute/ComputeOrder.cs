namespace HeadCluster.Kernels;

/// <summary>
/// Which work goes first where some waits for a thread: requests in the order in which they came, and the work of one request by its
/// place in it, so that what others wait for is done first.
/// </summary>
/// <param name="Turn">The request's turn: <see cref="ComputePool.TakeTurn"/>.</param>
/// <param name="Place">Its place within the request, smaller ones first.</param>
public readonly record struct ComputeOrder(long Turn, int Place);
