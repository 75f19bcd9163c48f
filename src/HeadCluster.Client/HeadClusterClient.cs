namespace HeadCluster.Client;

/// <summary>
/// A client of a cluster of attention heads. Thread-safe: create one, keep it, and use it from everywhere. Every error that a
/// caller can mend is a <see cref="HeadClusterException"/>; its <see cref="HeadClusterException.IsTransient"/> says whether
/// sending the same request again may succeed.
/// </summary>
public sealed class HeadClusterClient : IAsyncDisposable
{
    private readonly IGrainFactory _grains;
    private readonly GrainCalls _calls;
    private readonly ClusterConnection? _connection;

    /// <summary>
    /// Creates a client over a grain factory that somebody else owns: a silo's own, a test cluster's, or an
    /// <see cref="IClusterClient"/>. It opens no connection, and disposing it closes none.
    /// </summary>
    public HeadClusterClient(IGrainFactory grains)
        : this(grains, new GrainCalls(loss: null, HeadClusterClientOptions.DefaultRetryTimeout, timeLimit: null, TimeProvider.System))
    {
    }

    internal HeadClusterClient(IGrainFactory grains, GrainCalls calls)
    {
        ArgumentNullException.ThrowIfNull(grains);
        _grains = grains;
        _calls = calls;
        Scheduler = new HeadSchedulerClient(grains, calls);
    }

    private HeadClusterClient(ClusterConnection connection)
        : this(connection.Client, connection.Calls) => _connection = connection;

    /// <summary>Where heads belong, and how they get there.</summary>
    public HeadSchedulerClient Scheduler { get; }

    /// <summary>Connects to a cluster through the gateway of one of its silos. Disposing the client closes the connection.</summary>
    /// <param name="gateway">The gateway's address as <c>host:port</c>, such as <c>localhost:30000</c>.</param>
    /// <param name="cancellationToken">Gives up connecting.</param>
    /// <exception cref="HeadClusterException">The address is malformed, or no silo answered there in time.</exception>
    public static Task<HeadClusterClient> ConnectAsync(string gateway, CancellationToken cancellationToken = default) =>
        ConnectAsync(options => options.Gateways.Add(gateway), cancellationToken);

    /// <summary>Connects to a cluster. Disposing the client closes the connection.</summary>
    /// <param name="configure">Sets the gateways, the names of the cluster and the time to connect.</param>
    /// <param name="cancellationToken">Gives up connecting.</param>
    /// <exception cref="HeadClusterException">The options are not valid, or no silo answered in time.</exception>
    public static async Task<HeadClusterClient> ConnectAsync(
        Action<HeadClusterClientOptions> configure,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return new HeadClusterClient(await ClusterConnection.OpenAsync(configure, cancellationToken));
    }

    /// <summary>Computes the attention output of one layer for one sequence.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="layer">The layer, from 0.</param>
    /// <param name="input">The layer's input x, <c>[rows, ModelDim]</c>.</param>
    /// <param name="cancellationToken">Gives up waiting and stops the heads.</param>
    /// <exception cref="HeadClusterException">The input is not one this layer takes, the model cannot be used, a silo is out of reach, or the time has passed.</exception>
    public Task<AttentionResult> AttendAsync(string model, int layer, FloatTensor input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AttendAsync(model, layer, new AttentionRequest(input), cancellationToken);
    }

    /// <summary>
    /// Computes the attention output of one layer for one or more sequences, with patterns if asked for. Large requests of several
    /// sequences are sent in parts; one sequence takes up to 255 MiB.
    /// </summary>
    /// <param name="model">The model's name.</param>
    /// <param name="layer">The layer, from 0.</param>
    /// <param name="request">The layer's input and what to keep.</param>
    /// <param name="cancellationToken">Gives up waiting and stops the heads.</param>
    /// <exception cref="HeadClusterException">The input is not one this layer takes, the model cannot be used, a silo is out of reach, or the time has passed.</exception>
    public Task<AttentionResult> AttendAsync(
        string model,
        int layer,
        AttentionRequest request,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(request.Input);
        var coordinator = _grains.GetGrain<IMultiHeadAttentionGrain>(new LayerId(ModelName.Check(model), layer).ToString());
        var budget = _calls.StartTime(request.TimeLimit);
        return SequenceParts.AttendAsync(request, AskAsync, cancellationToken);

        Task<AttentionResult> AskAsync(AttentionRequest part, CancellationToken token)
        {
            WireLimits.Check(part.Input, part.SequenceLengths);
            var sent = part with { Id = NewId(part.Id), SequenceLengths = Lengths(part) };
            return _calls.CallAsync(
                budget,
                (limit, end) => coordinator.AttendAsync(sent with { TimeLimit = limit }, end),
                end => coordinator.IsServingAsync(sent.Id, end),
                token);
        }
    }

    /// <summary>Computes the logits of every position of a sequence, <c>[tokens, VocabularySize]</c>.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="tokens">The token ids.</param>
    /// <param name="cancellationToken">Gives up waiting and stops the heads.</param>
    /// <exception cref="HeadClusterException">A token is out of range, the model cannot be used, a silo is out of reach, or the time has passed.</exception>
    public async Task<FloatTensor> LogitsAsync(string model, ReadOnlyMemory<int> tokens, CancellationToken cancellationToken = default) =>
        (await ForwardAsync(model, new ForwardRequest(tokens.ToArray()), cancellationToken)).Logits;

    /// <summary>Runs a whole model over one or more sequences and returns the logits, the heads' reports and what was asked for.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="request">The tokens and what to keep.</param>
    /// <param name="cancellationToken">Gives up waiting and stops the heads.</param>
    /// <exception cref="HeadClusterException">A token is out of range, the model cannot be used, or a silo is out of reach.</exception>
    public Task<ForwardResult> ForwardAsync(string model, ForwardRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        WireLimits.Check(request.Tokens, request.SequenceLengths);
        var transformer = _grains.GetGrain<ITransformerGrain>(ModelName.Check(model));
        var sent = request with { Id = NewId(request.Id) };
        return _calls.CallAsync(
            _calls.StartTime(request.TimeLimit),
            (limit, end) => transformer.ForwardAsync(sent with { TimeLimit = limit }, end),
            end => transformer.IsServingAsync(sent.Id, end),
            cancellationToken);
    }

    /// <summary>Continues a sequence by the most likely token, step by step; each token comes as soon as it is known.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="tokens">The prompt's token ids, at least one.</param>
    /// <param name="steps">Tokens to generate.</param>
    /// <param name="cancellationToken">Gives up waiting and stops the heads.</param>
    /// <exception cref="HeadClusterException">
    /// While enumerating: a token or length is out of range, the model cannot be used, a silo is out of reach, or the time has passed.
    /// </exception>
    public IAsyncEnumerable<GeneratedToken> GenerateAsync(
        string model,
        ReadOnlyMemory<int> tokens,
        int steps,
        CancellationToken cancellationToken = default) =>
        GenerateAsync(model, new GenerationRequest(tokens.ToArray(), steps), cancellationToken);

    /// <summary>Continues a sequence as a request says; each token comes as soon as it is known.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="request">The prompt, how many tokens to generate, and how long all of them may take.</param>
    /// <param name="cancellationToken">Gives up waiting and stops the heads.</param>
    /// <exception cref="HeadClusterException">
    /// While enumerating: a token or length is out of range, the model cannot be used, a silo is out of reach, or the time has passed.
    /// </exception>
    public IAsyncEnumerable<GeneratedToken> GenerateAsync(string model, GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        WireLimits.Check(request.Tokens);
        var transformer = _grains.GetGrain<ITransformerGrain>(ModelName.Check(model));
        return _calls.StreamAsync<GeneratedToken>(
            request.TimeLimit,
            (id, known, limit, token) => known.Count > 0 && known.Count == request.Steps
                // Only that it was the last token was lost.
                ? AsyncEnumerable.Empty<GeneratedToken>()
                : transformer.GenerateAsync(After(request, known) with { Id = id, TimeLimit = limit }, token),
            transformer.IsServingAsync,
            cancellationToken);
    }

    /// <summary>Tells a model's shape.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="HeadClusterException">The model is unknown or cannot be used, or a silo is out of reach.</exception>
    public Task<ModelDescription> DescribeAsync(string model, CancellationToken cancellationToken = default)
    {
        var key = ModelName.Check(model);
        return _calls.CallAsync(token => _grains.GetGrain<IClusterStatusGrain>(0).DescribeAsync(key, token), isServed: null, cancellationToken);
    }

    /// <summary>Tells the cluster's silos and models, and where each active head is with its timings.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="HeadClusterException">A silo is out of reach.</exception>
    public Task<ClusterStatus> StatusAsync(CancellationToken cancellationToken = default) =>
        _calls.CallAsync(token => _grains.GetGrain<IClusterStatusGrain>(0).GetStatusAsync(token), isServed: null, cancellationToken);

    /// <summary>
    /// Tells what each active head has done since it was activated where it is: where that is, how many requests, and how long they
    /// took, split into waiting, projecting and attending. It needs no backend of telemetry, and activates no head.
    /// </summary>
    /// <param name="model">The model whose heads are asked; null for those of all models.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="HeadClusterException">A silo is out of reach.</exception>
    public async Task<IReadOnlyList<HeadStatistics>> GetHeadStatisticsAsync(string? model = null, CancellationToken cancellationToken = default)
    {
        var key = model is null ? null : ModelName.Check(model);
        return await _calls.CallAsync(token => _grains.GetGrain<IClusterStatusGrain>(0).GetHeadsAsync(key, token), isServed: null, cancellationToken);
    }

    /// <summary>Closes the connection, if this client opened one.</summary>
    public ValueTask DisposeAsync() => _connection?.DisposeAsync() ?? ValueTask.CompletedTask;

    // Who does not know of sequences that go on is to refuse them, and not to take their rows for a whole one.
    private static int[]? Lengths(AttentionRequest request) => request is { Sequence: not null, SequenceLengths: null } ? [] : request.SequenceLengths;

    private static Guid NewId(Guid given) => given == Guid.Empty ? Guid.NewGuid() : given;

    // What is left of a generation of which some tokens are known: the rest is that of the longer prompt.
    private static GenerationRequest After(GenerationRequest request, IReadOnlyList<GeneratedToken> known) =>
        request with { Tokens = [.. request.Tokens, .. known.Select(token => token.Token)], Steps = request.Steps - known.Count };
}
