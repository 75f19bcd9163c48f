using System.Net;
using HeadCluster.Client;

namespace HeadCluster.System.Tests.Client;

public sealed class SequencePartsTests
{
    // A row is 256 KiB, so that 64 rows are a part.
    private const int Width = 65_536;

    private static readonly int[] Lengths = [40, 20, 4, 30, 34, 80];
    private static readonly AttentionRequest Whole = new(Inputs.Matrix(Lengths.Sum(), Width), Lengths, PatternSelection.All, Id: Guid.NewGuid());
    private static readonly SiloAddress Silo = SiloAddress.New(IPAddress.Loopback, 1, 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_large_request_is_asked_for_in_parts_of_whole_sequences_each_a_request_of_its_own()
    {
        var parts = new List<AttentionRequest>();

        await SequenceParts.AttendAsync(Whole, (part, _) => { lock (parts) { parts.Add(part); } return AnswerAsync(part); }, Stop);

        Assert.Equal([[40, 20, 4], [30, 34], [80]], parts.Select(part => part.SequenceLengths!).OrderBy(lengths => lengths.Sum() + lengths[^1]).ToArray());
        Assert.All(parts, part => Assert.Equal((part.SequenceLengths!.Sum(), Guid.Empty, PatternSelection.All), (part.Input.Rows, part.Id, part.Patterns)));
    }

    [Fact]
    public async Task What_goes_on_with_a_sequence_is_asked_for_as_it_is_however_large()
    {
        var whole = Whole with { Patterns = null, Sequence = new CachedSequence(Guid.NewGuid(), Past: 0, Capacity: 208) };
        var asked = new List<AttentionRequest>();

        await SequenceParts.AttendAsync(whole, (request, _) => { asked.Add(request); return AnswerAsync(request); }, Stop);

        Assert.Same(whole, Assert.Single(asked));
    }

    [Fact]
    public async Task Answers_of_parts_are_one_answer_in_the_order_of_the_rows_whose_times_add_up()
    {
        var (first, last) = (new TaskCompletionSource(), new TaskCompletionSource());
        var answering = SequenceParts.AttendAsync(
            Whole,
            async (part, _) =>
            {
                // The first comes last.
                await (part.SequenceLengths!.Length == 3 ? first : last).Task;
                return await AnswerAsync(part);
            },
            Stop);
        last.SetResult();
        first.SetResult();
        var answer = await answering;

        Assert.Equal(Whole.Input.Shape, answer.Output.Shape);
        Assert.True(IsDoubled(answer.Output));
        Assert.Equal(2, answer.Heads.Length);
        foreach (var (index, head) in answer.Heads.Index())
        {
            Assert.Equal(new HeadId("m", 0, index), head.Head);
            Assert.Equal((Seconds(208), Seconds(2 * 208), Seconds(3 * 208)), (head.Queue, head.Project, head.Attend));

            // Each has the first element of its sequence.
            Assert.Equal(FirstElements(), head.Patterns!.Select(pattern => pattern.Shares.Span[0]));
        }

        Assert.Equal((Seconds(4 * 208), Seconds(5 * 208)), (answer.Elapsed, answer.OutputProjection));
        Assert.Equal([64, 64, 80], answer.Silos.Select(silo => silo.Bytes));
    }

    [Fact]
    public async Task An_error_says_in_which_part_it_is_and_when_to_come_back()
    {
        var busy = new HeadClusterException(HeadClusterErrorKind.Busy, "too much to do") { RetryAfter = Seconds(3) };

        var error = await Assert.ThrowsAsync<HeadClusterException>(() => SequenceParts.AttendAsync(
            Whole, (part, _) => part.SequenceLengths is [30, 34] ? Task.FromException<AttentionResult>(busy) : AnswerAsync(part), Stop));

        Assert.Equal("in the part from row 64 on: too much to do", error.Message);
        Assert.Equal((HeadClusterErrorKind.Busy, Seconds(3)), (error.Kind, error.RetryAfter));
    }

    [Fact]
    public async Task One_sequence_small_requests_and_wrong_ones_are_asked_for_as_they_came()
    {
        var one = Whole with { SequenceLengths = [Whole.Input.Rows] };
        var small = Whole with { Input = Whole.Input.RowRange(0, 64), SequenceLengths = [60, 4] };
        var wrong = Whole with { SequenceLengths = [.. Lengths, 1] };
        foreach (var request in new[] { one, small, wrong })
        {
            AttentionRequest? asked = null;
            await SequenceParts.AttendAsync(request, (part, _) => AnswerAsync(asked = part), Stop);
            Assert.Same(request, asked);
        }
    }

    // y = 2x, and times that go by the rows.
    private static Task<AttentionResult> AnswerAsync(AttentionRequest part)
    {
        var y = FloatTensor.Rent(out var elements, part.Input.Rows, Width);
        for (var i = 0; i < part.Input.Length; i++)
        {
            elements[i] = 2 * part.Input.Span[i];
        }

        var patterns = new List<HeadPattern>();
        for (int sequence = 0, row = 0; sequence < part.SequenceLengths!.Length; row += part.SequenceLengths[sequence++])
        {
            patterns.Add(new HeadPattern(new FloatTensor([row < part.Input.Rows ? part.Input.Row(row)[0] : 0], 1, 1, 1)));
        }

        var rows = part.Input.Rows;
        HeadReport[] heads = [.. Enumerable.Range(0, 2).Select(head =>
            new HeadReport(new HeadId("m", 0, head), Silo, Seconds(rows), Seconds(2 * rows), Seconds(3 * rows), [.. patterns]))];
        return Task.FromResult(new AttentionResult(y, heads, [new SiloReport(Silo, 2, default, default, rows)])
        {
            Elapsed = Seconds(4 * rows),
            OutputProjection = Seconds(5 * rows),
        });
    }

    private static bool IsDoubled(FloatTensor y)
    {
        var x = Whole.Input.Span;
        for (var i = 0; i < x.Length; i++)
        {
            if (y.Span[i] != 2 * x[i])
            {
                return false;
            }
        }

        return true;
    }

    private static float[] FirstElements()
    {
        var elements = new List<float>();
        for (int sequence = 0, row = 0; sequence < Lengths.Length; row += Lengths[sequence++])
        {
            elements.Add(Whole.Input.Row(row)[0]);
        }

        return [.. elements];
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
