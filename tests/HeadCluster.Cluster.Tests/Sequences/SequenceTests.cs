using CsCheck;
using HeadCluster.Grains;
using HeadCluster.Models;
using HeadCluster.Testing;
using HeadCluster.Tests.Diagnostics;

namespace HeadCluster.Tests.Sequences;

/// <summary>A layer that is brought a sequence piece by piece, since its heads keep keys and values.</summary>
public sealed class SequenceTests(SequenceTests.TwoSilos silos) : IClassFixture<SequenceTests.TwoSilos>
{
    private const int Heads = 2;
    private const int Width = 96;
    private const int Positions = 200;
    private const string Model = "random:gpt2-small?layers=1&model_dim=96&heads=4&kv_heads=2&head_dim=24&positions=200";

    private static readonly LayerId Layer = new(Model, 0);
    private static readonly FloatTensor Whole = Matrices.Random(Positions, Width);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pieces_give_the_bits_of_the_whole_however_it_is_cut()
    {
        var expected = (await silos.Cluster.Client.AttendAsync(Model, 0, Whole, Stop)).Output;
        var cuts = Gen.Int[1, Positions - 1].HashSet[0, 6].Select(cuts => cuts.Order().Append(Positions).ToArray());

        await cuts.SampleAsync(
            async ends =>
            {
                var id = Guid.NewGuid();
                var past = 0;
                foreach (var end in ends)
                {
                    var answer = await AskAsync(id, past, end);
                    Assert.Equal(expected.RowRange(past, end - past).Span, answer.Output.Span);
                    past = end;
                }
            },
            iter: 40);
    }

    [Fact]
    public async Task A_request_that_is_sent_again_is_answered_alike()
    {
        var id = Guid.NewGuid();
        await AskAsync(id, 0, 70);
        var first = await AskAsync(id, 70, 71);

        // Also after what came next.
        await AskAsync(id, 71, 75);
        var second = await AskAsync(id, 70, 71);

        Assert.Equal(first.Output.Span, second.Output.Span);
    }

    [Fact]
    public async Task Sequences_are_kept_apart()
    {
        var (one, other) = (Guid.NewGuid(), Guid.NewGuid());
        await AskAsync(one, 0, 30);
        await AskAsync(other, 0, 29);
        await AskAsync(other, 29, 40);

        var answer = await AskAsync(one, 30, 40);

        var expected = (await silos.Cluster.Client.AttendAsync(Model, 0, Whole.RowRange(0, 40), Stop)).Output;
        Assert.Equal(expected.RowRange(30, 10).Span, answer.Output.Span);
    }

    [Fact]
    public async Task A_sequence_that_is_not_kept_is_said_to_be_lost_and_can_be_begun_anew()
    {
        var id = Guid.NewGuid();
        await AssertLostAsync(id, 5);
        await AskAsync(id, 0, 5);
        await AssertLostAsync(id, 6);

        await AskAsync(id, 0, 6);
        var answer = await AskAsync(id, 6, 7);

        var expected = (await silos.Cluster.Client.AttendAsync(Model, 0, Whole.RowRange(0, 7), Stop)).Output;
        Assert.Equal(expected.Row(6), answer.Output.Row(0));

        async Task AssertLostAsync(Guid sequence, int past)
        {
            var error = await Refusal.OfAsync(
                () => AskAsync(sequence, past, past + 1), Model, $"does not have the {past} positions before of sequence {sequence}", "send it from position 0 on");
            Assert.Equal(HeadClusterErrorKind.StateLost, error.Kind);
        }
    }

    [Fact]
    public async Task Pieces_give_the_bits_of_the_whole_also_where_x_is_rounded_on_its_way()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, options => options.WirePrecision = WirePrecision.BFloat16, Stop);
        var expected = (await cluster.Client.AttendAsync(Model, 0, Whole, Stop)).Output;
        var request = new AttentionRequest(Whole.RowRange(0, 70), Sequence: new CachedSequence(Guid.NewGuid(), 0, Positions));
        await cluster.Client.AttendAsync(Model, 0, request, Stop);

        var next = request with { Input = Whole.RowRange(70, 130), Sequence = request.Sequence! with { Past = 70 } };
        var answer = await cluster.Client.AttendAsync(Model, 0, next, Stop);

        Assert.Equal(expected.RowRange(70, 130).Span, answer.Output.Span);
    }

    [Fact]
    public void Layers_of_which_rows_attend_to_later_ones_have_no_sequences_that_go_on()
    {
        var model = ModelLocation.Open(Model).Configuration with { Causal = false };

        var error = Assert.Throws<HeadClusterException>(
            () => SequenceInput.Check("here", new CachedSequence(Guid.NewGuid(), 0, 20), [10], patterns: null, model));

        Assert.Equal("here: the request goes on with a sequence, but rows of this model attend to later ones too; expected whole sequences", error.Message);
    }

    // As a silo of before would get it.
    [Fact]
    public async Task Who_does_not_know_of_sequences_refuses_rows_that_go_on()
    {
        var sequence = new CachedSequence(Guid.NewGuid(), 3, 20);
        var unknown = new AttentionRequest(Whole.RowRange(0, 1), SequenceInput.Travelling([1], sequence));

        await Refusal.OfAsync(() => silos.Cluster.Client.AttendAsync(Model, 0, unknown, Stop), "the sequences are 0 long in all; expected 1");
    }

    [Fact]
    public async Task A_request_that_is_cancelled_while_it_computes_keeps_nothing()
    {
        const string Large = "random:gpt2-small?layers=1&heads=2";
        await using var cluster = await HeadClusterTestCluster.StartAsync(1);
        var request = new AttentionRequest(Matrices.Random(8, 768));
        await cluster.Client.AttendAsync(Large, 0, request, Stop);
        cluster.SlowSilo(cluster.Silos[0], TimeSpan.FromDays(1));
        using var measured = new Measurements<long>(cluster.Silos[0]);
        using var cancellation = new CancellationTokenSource();
        var sequence = new CachedSequence(Guid.NewGuid(), 0, 64);
        var asked = cluster.Client.AttendAsync(Large, 0, request with { Sequence = sequence }, cancellation.Token);
        await cluster.WaitForComputationsAsync(cluster.Silos[0], 1, Stop);
        measured.Observe();

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await cluster.WaitUntilIdleAsync(Stop);
        cluster.SlowSilo(cluster.Silos[0], TimeSpan.Zero);

        // Its own turn comes after that of the heads that were cancelled.
        await cluster.Client.AttendAsync(Large, 0, request, Stop);
        measured.Observe();
        Assert.Equal([2L * sizeof(float) * 64 * 128, 0], measured.Of("headcluster.sequences.memory By"));
    }

    [Fact]
    public async Task A_head_keeps_what_it_has_when_it_moves()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        var request = new AttentionRequest(Whole.RowRange(0, 100), Sequence: new CachedSequence(Guid.NewGuid(), 0, Positions));
        await cluster.Client.AttendAsync(Model, 0, request, Stop);
        var before = await cluster.FindHeadsAsync(Stop);
        for (var head = 0; head < Heads; head++)
        {
            await cluster.PlaceHeadAsync(Layer.Head(head), cluster.Silos.First(silo => !silo.Equals(before[Layer.Head(head)])));
        }

        var next = request with { Input = Whole.RowRange(100, 100), Sequence = request.Sequence! with { Past = 100 } };
        var answer = await cluster.Client.AttendAsync(Model, 0, next, Stop);

        var expected = (await cluster.Client.AttendAsync(Model, 0, Whole, Stop)).Output;
        Assert.Equal(expected.RowRange(100, 100).Span, answer.Output.Span);
        Assert.All(answer.Heads, head => Assert.NotEqual(before[head.Head], head.Silo));
    }

    [Theory]
    [InlineData(0, 201, "the capacity of the sequence is 201; expected 10 to 200")]
    [InlineData(0, 9, "the capacity of the sequence is 9; expected 10 to 200")]
    [InlineData(-1, 200, "10 rows go on after -1 positions; expected 0 to 190")]
    [InlineData(191, 200, "10 rows go on after 191 positions; expected 0 to 190")]
    public Task Positions_that_the_model_does_not_have_are_refused_by_layer_and_head(int past, int capacity, string words) =>
        RefuseAsync([10], new CachedSequence(Guid.NewGuid(), past, capacity), patterns: null, words);

    [Fact]
    public Task A_sequence_without_a_name_is_refused() => RefuseAsync([10], new CachedSequence(Guid.Empty, 0, 20), patterns: null, "an empty id");

    [Fact]
    public Task Only_one_sequence_at_a_time_goes_on() =>
        RefuseAsync([4, 6], new CachedSequence(Guid.NewGuid(), 0, 20), patterns: null, "2 sequences go on with one");

    [Fact]
    public Task Patterns_of_a_part_of_a_sequence_are_refused() =>
        RefuseAsync([10], new CachedSequence(Guid.NewGuid(), 3, 20), PatternSelection.All, "patterns are asked for of rows after 3 others");

    private async Task RefuseAsync(int[] lengths, CachedSequence sequence, PatternSelection? patterns, string words)
    {
        var x = Whole.RowRange(0, 10);
        await Refusal.OfAsync(
            () => silos.Cluster.Client.AttendAsync(Model, 0, new AttentionRequest(x, lengths, patterns, Sequence: sequence), Stop), $"{Layer}: ", words);
        var head = silos.Cluster.Grains.GetGrain<IAttentionHeadGrain>(Layer.Head(1).ToString());
        await Refusal.OfAsync(() => head.AttendAsync(new HeadRequest(x, lengths, patterns, sequence), Stop), $"{Layer.Head(1)}: ", words);
    }

    private Task<AttentionResult> AskAsync(Guid id, int past, int end) => silos.Cluster.Client.AttendAsync(
        Model, 0, new AttentionRequest(Whole.RowRange(past, end - past), Sequence: new CachedSequence(id, past, Positions)), Stop);

    public sealed class TwoSilos : IAsyncLifetime
    {
        private HeadClusterTestCluster? _cluster;

        internal HeadClusterTestCluster Cluster => _cluster!;

        // One head on each.
        public async ValueTask InitializeAsync()
        {
            _cluster = await HeadClusterTestCluster.StartAsync(2);
            for (var head = 0; head < Heads; head++)
            {
                await _cluster.PlaceHeadAsync(Layer.Head(head), _cluster.Silos[head]);
            }
        }

        public ValueTask DisposeAsync() => Cluster.DisposeAsync();
    }
}
