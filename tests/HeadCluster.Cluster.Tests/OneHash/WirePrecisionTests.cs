using HeadCluster.Hosting;
using HeadCluster.Testing;

namespace HeadCluster.Tests.OneHash;

/// <summary>With half of the bytes there is one hash too, another one.</summary>
public sealed class WirePrecisionTests(ITestOutputHelper output)
{
    /// <summary>As in <see cref="OneHashTests"/>, with x and z rounded to bfloat16.</summary>
    private const string Expected = "eddfd2e9b39590fc721c212761181042fd7b1e3fa0def4a2e33e26e1f31ffd29";

    private const string Layer = "random:gpt2-small?layers=1";
    private const int Heads = 12;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Rounded_inputs_have_one_hash_on_any_number_of_silos(int silos)
    {
        await using var cluster = await StartAsync(silos, WirePrecision.BFloat16);

        var result = await cluster.Client.ForwardAsync(NanoGpt.Name, NanoGpt.AllAtOnce(), Stop);

        Assert.Equal(Expected, NanoGpt.Hash(result.Logits.Span));
    }

    /// <summary>Several blocks of x, and with all heads on one silo blocks of z on the way back as well.</summary>
    [Fact]
    public async Task Rounded_outputs_have_the_same_bits_wherever_the_heads_are_and_travel_as_half_the_bytes()
    {
        var request = new AttentionRequest(Matrices.Random(9 * 1000, 768), [.. Enumerable.Repeat(1000, 9)]);
        await using var exact = await StartAsync(2, WirePrecision.Float32);
        await using var rounded = await StartAsync(2, WirePrecision.BFloat16);
        var expected = await PlaceAndAskAsync(exact, request, head => 1);
        var apart = await PlaceAndAskAsync(rounded, request, head => 1);
        var together = await PlaceAndAskAsync(rounded, request, head => 0);
        var mixed = await PlaceAndAskAsync(rounded, request, head => head % 3 / 2);

        Assert.Equal(apart.Output.Span, together.Output.Span);
        Assert.Equal(apart.Output.Span, mixed.Output.Span);
        Assert.False(apart.Output.Span.SequenceEqual(expected.Output.Span));
        Assert.Equal(Assert.Single(expected.Silos).Bytes, 2 * Assert.Single(apart.Silos).Bytes);

        double squares = 0, differences = 0, largest = 0, most = 0;
        for (var i = 0; i < expected.Output.Length; i++)
        {
            double y = expected.Output.Span[i], difference = Math.Abs(y - apart.Output.Span[i]);
            (squares, differences) = (squares + (y * y), differences + (difference * difference));
            (largest, most) = (Math.Max(largest, difference), Math.Max(most, Math.Abs(y)));
        }

        output.WriteLine($"relative error {Math.Sqrt(differences / squares):0.0000}, the largest {largest / most:0.0000} of the largest output");
        Assert.InRange(Math.Sqrt(differences / squares), 0, 1.0 / 256);
    }

    [Fact]
    public async Task Value_that_is_rounded_to_infinity_is_refused()
    {
        await using var cluster = await StartAsync(1, WirePrecision.BFloat16);
        var x = Matrices.Random(3, 768).Span.ToArray();
        x[(2 * 768) + 5] = float.MaxValue;

        var error = await Assert.ThrowsAsync<HeadClusterException>(() => cluster.Client.AttendAsync(Layer, 0, new FloatTensor(x, 3, 768), Stop));

        Assert.Equal(HeadClusterErrorKind.InvalidInput, error.Kind);
        Assert.Contains("at row 2, column 5, which BFloat16 does not hold", error.Message, StringComparison.Ordinal);
    }

    private static Task<HeadClusterTestCluster> StartAsync(int silos, WirePrecision precision) => HeadClusterTestCluster.StartAsync(
        silos,
        options =>
        {
            options.WirePrecision = precision;
            options.Models[NanoGpt.Name] = new ModelOptions { Path = NanoGpt.Directory };
        },
        Stop);

    // The coordinator on the first silo. Not by way of the client, which would send the request in parts.
    private static async Task<AttentionResult> PlaceAndAskAsync(HeadClusterTestCluster cluster, AttentionRequest request, Func<int, int> place)
    {
        var layer = new LayerId(Layer, 0);
        for (var head = 0; head < Heads; head++)
        {
            await cluster.PlaceHeadAsync(layer.Head(head), cluster.Silos[place(head)]);
        }

        await cluster.PlaceCoordinatorAsync(layer, cluster.Silos[0]);
        return await cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(layer.ToString()).AttendAsync(request, Stop);
    }
}
