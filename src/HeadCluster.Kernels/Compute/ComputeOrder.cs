namespace HeadCluster.Kernels;

/// <summary>
/// Which work goes first where some waits for a thread: requests in the order in which they came, and the work of one request by its
/// place in it, so that what others wait for is done first.
/// </summary>
/// <param name="Turn">The request's turn: <see cref="ComputePool.TakeTurn"/>.</param>
/// <param name="Place">Its place within the request, smaller ones first.</param>
/// <param name="Together">
/// While more of the request waits for a thread, the end of this work is told only when so much of it has ended: each time that an awaiter
/// goes on takes the processor from a thread that computes. 1 tells each end at once.
/// </param>
public readonly record struct ComputeOrder(long Turn, int Place, int Together = 1);
