using System.Runtime.InteropServices;
using System.Security.Cryptography;
using HeadCluster.Client;

namespace HeadCluster.System.Tests.Soak;

/// <summary>Requests of very different sizes to several layers of several models, from 200 bytes to 8.4 MB of x, in an order that is always the same.</summary>
internal sealed class MixedRequests
{
    private const int Clients = 4;

    private static readonly Kind[] Kinds =
    [
        new("nano-gpt", 0, [1], 48),
        new("nano-gpt", 2, [11, 7], 48),
        new("random:nano", 1, [11], 48),
        new("random:gpt2-small?layers=2", 0, [1], 768),
        new("random:gpt2-small?layers=2", 0, [17], 768),
        new("random:gpt2-small?layers=2", 1, [64, 3], 768),
        new("random:gpt2-small?layers=2", 1, [300], 768),
        new("random:llama-110m?layers=1&kv_heads=4", 0, [128], 768),
        new("random:llama-110m?layers=1&kv_heads=4", 0, [500, 600], 768),
        new("random:gpt2-small?layers=1&model_dim=2048&heads=4&positions=2048", 0, [1024], 2048),
    ];

    // Of a hundred requests, how many are of each kind: the small ones are most, the largest are each of 8.4 MB.
    private static readonly int[] Shares = [20, 15, 10, 15, 12, 12, 6, 6, 2, 2];

    private readonly FloatTensor[] _inputs = Array.ConvertAll(Kinds, kind => Inputs.Matrix(kind.Lengths.Sum(), kind.Width));
    private readonly string?[] _expected = new string?[Kinds.Length];

    /// <summary>
    /// Sends as many of each kind as are ever under way at a time, and keeps the hash of the answer. What meets by chance later is then
    /// nothing new: the most memory is taken while the largest requests meet.
    /// </summary>
    public async Task SendEachAsync(HeadClusterClient client, CancellationToken cancellationToken)
    {
        for (var kind = 0; kind < Kinds.Length; kind++)
        {
            var hashes = await Task.WhenAll(Enumerable.Repeat(kind, Clients).Select(same => HashAsync(client, same, cancellationToken)));
            _expected[kind] = Assert.Single(hashes.Distinct(StringComparer.Ordinal));
        }
    }

    /// <summary>Sends some hundreds of requests, a few at a time, and compares the bits of every answer.</summary>
    public Task SendAsync(HeadClusterClient client, int hundreds, CancellationToken cancellationToken)
    {
        var random = new Random(hundreds);
        var order = Enumerable.Range(0, hundreds).SelectMany(_ =>
        {
            var hundred = Kinds.SelectMany((_, kind) => Enumerable.Repeat(kind, Shares[kind])).ToArray();
            random.Shuffle(hundred);
            return hundred;
        });
        return Parallel.ForEachAsync(
            order,
            new ParallelOptions { MaxDegreeOfParallelism = Clients, CancellationToken = cancellationToken },
            async (kind, token) => Assert.Equal(_expected[kind], await HashAsync(client, kind, token)));
    }

    private async Task<string> HashAsync(HeadClusterClient client, int kind, CancellationToken cancellationToken)
    {
        var (model, layer, lengths, _) = Kinds[kind];
        var answer = await client.AttendAsync(model, layer, new AttentionRequest(_inputs[kind], lengths), cancellationToken);
        return Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(answer.Output.Span)));
    }

    /// <param name="Model">The model.</param>
    /// <param name="Layer">The layer.</param>
    /// <param name="Lengths">Rows of each sequence.</param>
    /// <param name="Width">ModelDim.</param>
    private sealed record Kind(string Model, int Layer, int[] Lengths, int Width);
}
