using System.Globalization;
using System.Runtime.CompilerServices;
using HeadCluster.Kernels;
using Orleans.Concurrency;
using Orleans.Placement;

namespace HeadCluster.Grains;

/// <summary>A whole GPT: everything but attention is computed here, attention by the layers' grains and their heads.</summary>
/// <remarks>Beside its caller, unless the model's plan says otherwise; reentrant, since it mostly waits.</remarks>
[GrainType(TypeName), CoordinatorPlacement, Immovable, KeepAlive, Reentrant]
internal sealed class TransformerGrain : CoordinatorGrain<TransformerBody>, ITransformerGrain
{
    private const string TypeName = "transformer";

    private readonly ModelInstruments _instruments;
    private readonly ServedRequests<ForwardResult> _served = new();

    // Generations of which a token is being computed.
    private readonly HashSet<Guid> _generating = [];
    private readonly SiloAddress _silo;
    private readonly TimeProvider _time;

    private readonly PatternLimits _patterns;
    private readonly PatternSampling _sampling;
    private readonly SequenceRelease _sequences;
    private readonly WeightRelease _release;

    public TransformerGrain(
        ModelCatalog models,
        WeightLoader loader,
        ComputePool compute,
        LocalGrains local,
        ModelInstruments instruments,
        PatternLimits patterns,
        PatternSampling sampling,
        SequenceRelease sequences,
        WeightRelease release,
        ILocalSiloDetails silo,
        TimeProvider time)
        : base(models, loader, compute, local)
    {
        _instruments = instruments;
        _patterns = patterns;
        _sampling = sampling;
        _sequences = sequences;
        _release = release;
        _silo = silo.SiloAddress;
        _time = time;
    }

    /// <summary>Orleans' name of this class.</summary>
    public static GrainType Type { get; } = GrainType.Create(TypeName);

    protected override string Model => Name;

    private string Name => this.GetPrimaryKeyString();

    public async Task<ForwardResult> ForwardAsync(ForwardRequest request, CancellationToken cancellationToken)
    {
        var body = await BodyAsync();
        int[] lengths = request.SequenceLengths ?? [request.Tokens?.Length ?? 0];
        TokenInput.Check(Name, request.Tokens, lengths, body.Model.MaxSequenceLength, body.VocabularySize);
        TimeLimits.Check(request.TimeLimit);
        return await _served.ServeAsync(request.Id, () => ForwardAsync(request, lengths, cancellationToken), whenUnshared: null, cancellationToken);
    }

    public override Task<bool> IsServingAsync(Guid request, CancellationToken cancellationToken) =>
        Task.FromResult(_served.Contains(request) || _generating.Contains(request));

    /// <remarks>
    /// The first step computes the prompt, and each of the others one token, since the heads keep keys and values; the bits are those of a pass over
    /// the sequence as it then is.
    /// </remarks>
    public async IAsyncEnumerable<GeneratedToken> GenerateAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var body = await BodyAsync();
        TokenInput.Check(Name, request.Tokens, [request.Tokens?.Length ?? 0], body.Model.MaxSequenceLength, body.VocabularySize);
        CheckSteps(request);
        TimeLimits.Check(request.TimeLimit);

        var pass = Pass();
        var tokens = request.Tokens;

        // What is generated last is not fed back. Where rows attend to later ones too, each step changes all of them.
        var sequence = body.Model.Causal && request.Steps > 1 ? new GeneratedSequence(capacity: tokens.Length + request.Steps - 1) : null;
        using var deadline = new Deadline(request.TimeLimit, _time, cancellationToken);
        using var generation = _instruments.StartGeneration(Name, tokens.Length);
        try
        {
            for (var step = 0; step < request.Steps; step++)
            {
                var next = await NextAsync(request.Id, pass, tokens, sequence, generation, deadline, cancellationToken);
                tokens = [.. tokens, next.Token];
                yield return next;
            }
        }
        finally
        {
            Forget(sequence);
        }
    }

    protected override WeightLoad<TransformerBody> PlanLoad() => TransformerBody.Plan(Models, Name);

    // If it does not fit, what is there of the model is of no use.
    private async Task<TransformerBody> BodyAsync()
    {
        try
        {
            return Weights;
        }
        catch (HeadClusterException exception) when (exception.Kind == HeadClusterErrorKind.OutOfMemory)
        {
            await _release.AllAsync(Name);
            throw;
        }
    }

    private ForwardPass Pass()
    {
        var layers = new IMultiHeadAttentionGrain[Weights.Model.LayerCount];
        for (var layer = 0; layer < layers.Length; layer++)
        {
            layers[layer] = GrainFactory.GetGrain<IMultiHeadAttentionGrain>(new LayerId(Name, layer).ToString());
        }

        return new ForwardPass(Name, Weights, layers, Compute, _time);
    }

    private async Task<ForwardResult> ForwardAsync(ForwardRequest request, int[] lengths, CancellationToken cancellationToken)
    {
        using var span = _instruments.StartForward(Name, request.Tokens.Length);
        using var deadline = new Deadline(request.TimeLimit, _time, cancellationToken);
        return await span.WatchAsync(RunAsync(Pass(), request, lengths, sequence: null, logits: request.Tokens.Length, deadline, cancellationToken));
    }

    private async Task<GeneratedToken> NextAsync(
        Guid id,
        ForwardPass pass,
        int[] tokens,
        GeneratedSequence? sequence,
        ModelInstruments.Generation generation,
        Deadline deadline,
        CancellationToken cancellationToken)
    {
        using var span = generation.StartToken(position: tokens.Length);
        var began = _time.GetTimestamp();
        _generating.Add(id);
        try
        {
            var next = await span.WatchAsync(ChooseAsync(pass, tokens, sequence, deadline, cancellationToken));
            generation.RecordToken(_time.GetElapsedTime(began));
            return next;
        }
        finally
        {
            _generating.Remove(id);
        }
    }

    private async Task<GeneratedToken> ChooseAsync(
        ForwardPass pass, int[] tokens, GeneratedSequence? sequence, Deadline deadline, CancellationToken cancellationToken)
    {
        var result = await RunAsync(pass, new ForwardRequest(tokens), [tokens.Length], sequence, logits: 1, deadline, cancellationToken);
        return NonFinite.IndexOf(result.Logits.Span) < 0
            ? GreedyChoice.From(result.Logits.Row(0), position: tokens.Length)
            : throw pass.NotFinite("what it says of the next token");
    }

    private async Task<ForwardResult> RunAsync(
        ForwardPass pass,
        ForwardRequest request,
        int[] lengths,
        GeneratedSequence? sequence,
        int logits,
        Deadline deadline,
        CancellationToken cancellationToken)
    {
        var where = $"model '{Name}'";
        var model = Weights.Model;
        request = request with { Patterns = _patterns.Bound(where, request.Patterns, model) };
        RequestSize.CheckForward(where, model, request.Tokens.Length, lengths, logits, request.Capture, request.Patterns);
        var sampled = _sampling.Sample(Name, model, request, lengths);
        try
        {
            var result = sampled is null && sequence?.Rest is { } rest
                ? await ContinueAsync(pass, request, lengths, sequence, rest, deadline)
                : await ComputeAsync(pass, sampled ?? request, lengths, sequence, logits, deadline);
            _sampling.Keep(Name, request, lengths, result);
            return sampled is null ? result : result with { Layers = WithoutPatterns(result.Layers) };
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested
            && ((deadline.HasPassed && exception is OperationCanceledException) || exception is HeadClusterException { Kind: HeadClusterErrorKind.Timeout }))
        {
            // What is left of the layer says which of its heads were late.
            var reason = exception is HeadClusterException late ? $" ({late.Message})" : "";
            var pending = pass.Attended < model.LayerCount ? $"layer {pass.Attended} of {model.LayerCount}" : "the logits";
            throw deadline.Missed(where, _silo, pending + reason);
        }
        catch (HeadClusterException exception) when (exception.Kind == HeadClusterErrorKind.OutOfMemory)
        {
            await _release.AllAsync(Name);
            throw;
        }
    }

    private static async Task<ForwardResult> ComputeAsync(
        ForwardPass pass, ForwardRequest request, int[] lengths, GeneratedSequence? sequence, int logits, Deadline deadline)
    {
        sequence?.Begin();
        var result = await pass.RunAsync(request, lengths, sequence?.Whole, logits, deadline);
        sequence?.Keep(request.Tokens.Length, wentOn: false, result.Layers);
        return result;
    }

    // Computes what is new of a sequence, or all of it if a head does not have what was before: it died with its silo, or had no room for it.
    private async Task<ForwardResult> ContinueAsync(
        ForwardPass pass, ForwardRequest request, int[] lengths, GeneratedSequence sequence, CachedSequence rest, Deadline deadline)
    {
        try
        {
            sequence.Begin();
            var next = request.Tokens[rest.Past..];
            var result = await pass.RunAsync(request with { Tokens = next }, [next.Length], rest, logits: 1, deadline);
            sequence.Keep(request.Tokens.Length, wentOn: true, result.Layers);
            return result;
        }
        catch (HeadClusterException exception) when (exception.Kind == HeadClusterErrorKind.StateLost)
        {
            sequence.Lose();
        }

        if (sequence.Whole is null)
        {
            // What some heads keep of it is of no use without the others.
            Forget(sequence);
        }

        return await ComputeAsync(pass, request, lengths, sequence, logits: 1, deadline);
    }

    private void Forget(GeneratedSequence? sequence)
    {
        if (sequence is not null)
        {
            _sequences.Forget(sequence.Id, sequence.Silos);
        }
    }

    // As they are where nobody looks.
    private static HeadReport[][] WithoutPatterns(HeadReport[][] layers) =>
        Array.ConvertAll(layers, layer => Array.ConvertAll(layer, head => head with { Patterns = null }));

    // The last token is not fed back, so it needs no position.
    private void CheckSteps(GenerationRequest request)
    {
        var most = Weights.Model.MaxSequenceLength - request.Tokens.Length + 1;
        if (request.Steps < 0 || request.Steps > most)
        {
            throw HeadClusterException.InvalidInput(string.Create(
                CultureInfo.InvariantCulture,
                $"model '{Name}': {request.Steps} steps after {request.Tokens.Length} tokens; expected 0 to {most}, for its {Weights.Model.MaxSequenceLength} positions"));
        }
    }
}
