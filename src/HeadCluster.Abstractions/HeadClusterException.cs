namespace HeadCluster;

/// <summary>What kind of thing went wrong.</summary>
[GenerateSerializer, Alias("hc.ErrorKind")]
public enum HeadClusterErrorKind
{
    /// <summary>The request itself is wrong: a shape, a token, a value. Sending it again gives the same answer.</summary>
    InvalidInput,

    /// <summary>No silo of the cluster knows a model, layer or head of this name.</summary>
    NotFound,

    /// <summary>The model's files are missing, malformed or not of a layout that is understood.</summary>
    InvalidModel,

    /// <summary>The weights do not fit into the silo's memory limit.</summary>
    OutOfMemory,

    /// <summary>A silo or head could not be reached; the request may be sent again.</summary>
    Unavailable,

    /// <summary>Too much is waiting already; the request may be sent again after <see cref="HeadClusterException.RetryAfter"/>.</summary>
    Busy,

    /// <summary>A defect: a computation failed in a way that nobody foresaw. The silo's log may say more.</summary>
    Internal,

    /// <summary>The request's time limit passed before all of it was computed; with a longer one it may succeed.</summary>
    Timeout,

    /// <summary>A head does not have the keys and values that the request builds on: the sequence is to be sent from its first row on.</summary>
    StateLost,
}

/// <summary>
/// The one exception that HeadCluster throws for what a caller or operator can mend. Its message is one line that says what
/// was wrong, where, and what was expected.
/// </summary>
[GenerateSerializer, Alias("hc.Exception")]
public sealed class HeadClusterException : Exception
{
    /// <summary>
    /// Creates an error of a kind, with a one-line message and what caused it. A grain gives no cause: its type may be unknown
    /// on the other side of the wire.
    /// </summary>
    public HeadClusterException(HeadClusterErrorKind kind, string message, Exception? innerException = null)
        : base(message, innerException) => Kind = kind;

    /// <summary>What kind of thing went wrong.</summary>
    [Id(0)]
    public HeadClusterErrorKind Kind { get; private set; }

    /// <summary>Whether the same request may succeed if it is sent again.</summary>
    public bool IsTransient => Kind is HeadClusterErrorKind.Unavailable or HeadClusterErrorKind.Busy;

    /// <summary>How long to wait before sending the request again; zero unless the cluster is busy.</summary>
    [Id(1)]
    public TimeSpan RetryAfter { get; init; }

    /// <summary>An error of kind <see cref="HeadClusterErrorKind.InvalidInput"/>.</summary>
    public static HeadClusterException InvalidInput(string message) => new(HeadClusterErrorKind.InvalidInput, message);

    /// <summary>An error of kind <see cref="HeadClusterErrorKind.NotFound"/>.</summary>
    public static HeadClusterException NotFound(string message) => new(HeadClusterErrorKind.NotFound, message);
}
