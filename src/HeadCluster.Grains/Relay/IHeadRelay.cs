using Orleans.Concurrency;
using Orleans.Services;

namespace HeadCluster.Grains;

/// <summary>The one place of a silo where a layer's input comes in and the outputs of all heads there go out.</summary>
[Alias("hc.IHeadRelay")]
internal interface IHeadRelay : IGrainService
{
    /// <summary>Has the heads compute and answers with what they computed.</summary>
    [Alias("AttendAsync"), ResponseTimeout("00:10:00")]
    Task<RelayReply> AttendAsync(RelayRequest request, CancellationToken cancellationToken = default);

    /// <summary>What the silo's kernels make of fixed inputs, and what it takes messages for: <see cref="HeadRelay.Contract"/>.</summary>
    [Alias("GetFingerprintAsync")]
    Task<string> GetFingerprintAsync(CancellationToken cancellationToken = default);

    /// <summary>Some rows of the input of a request that came from this silo.</summary>
    /// <param name="exchange">The request's exchange.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="HeadClusterException">The request has ended.</exception>
    [Alias("ReadRowsAsync")]
    Task<FloatTensor> ReadRowsAsync(Guid exchange, int firstRow, int rows, CancellationToken cancellationToken = default);

    /// <summary>Brings some rows of z to a request that came from this silo.</summary>
    /// <param name="exchange">The request's exchange.</param>
    /// <param name="heads">The heads whose columns they are.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rows">z of the heads side by side, <c>[rows, heads · width]</c>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="HeadClusterException">The request has ended.</exception>
    [Alias("WriteRowsAsync")]
    Task WriteRowsAsync(Guid exchange, int[] heads, int firstRow, FloatTensor rows, CancellationToken cancellationToken = default);

    /// <summary>Brings z of some heads, all rows of it, to a request that came from this silo, which has no receipt to send: it waits for what is lost.</summary>
    /// <param name="exchange">The request's exchange; one that has ended takes nothing.</param>
    /// <param name="heads">The heads whose columns they are.</param>
    /// <param name="rows">z of the heads side by side, <c>[rows, heads · width]</c>.</param>
    [Alias("BringAsync"), OneWay]
    Task BringAsync(Guid exchange, int[] heads, FloatTensor rows);

    /// <summary>Has the heads of the silo let go of the keys and values of a sequence that has ended.</summary>
    /// <param name="sequence">The sequence; one that is not kept is none to let go of.</param>
    [Alias("ForgetAsync"), OneWay]
    Task ForgetAsync(Guid sequence);
}
