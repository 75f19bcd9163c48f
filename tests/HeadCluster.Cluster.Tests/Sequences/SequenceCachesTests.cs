using HeadCluster.Grains;
using HeadCluster.Hosting;
using HeadCluster.Kernels;
using HeadCluster.Models;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Sequences;

public sealed class SequenceCachesTests
{
    private const int Capacity = 64;
    private static readonly AttentionHead Head = ModelLocation.Open("random:gpt2-small?layers=1").PackHead(0, 0);
    private static readonly HeadId First = new("model", 0, 0);
    private static readonly HeadId Second = new("model", 0, 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly Guid _sequence = Guid.NewGuid();

    // 64 keys and 64 values of 64 elements, which is what the pool of arrays gives.
    private static long CacheBytes => KvCache.SizeOf(64, 64, Capacity);

    [Fact]
    public void What_was_taken_out_is_not_found_until_it_is_kept()
    {
        using var caches = Caches();
        Keep(caches, First, rows: 3);
        using (var taken = caches.Take(First, new CachedSequence(_sequence, 3, Capacity), Head)!)
        {
            AssertLost(caches, First, past: 3);
            taken.Keep();
        }

        using var again = caches.Take(First, new CachedSequence(_sequence, 2, Capacity), Head)!;
        Assert.Equal(2, again.Cache.Length);
    }

    [Fact]
    public void What_a_request_that_failed_has_left_is_let_go_of()
    {
        using var caches = Caches();
        Keep(caches, First, rows: 3);
        caches.Take(First, new CachedSequence(_sequence, 3, Capacity), Head)!.Dispose();

        AssertLost(caches, First, past: 3);
        Assert.Equal(0, caches.Bytes);
    }

    [Fact]
    public void A_sequence_that_becomes_longer_than_it_was_to_be_is_lost()
    {
        using var caches = Caches();
        Keep(caches, First, rows: 3);

        Assert.Throws<HeadClusterException>(() => caches.Take(First, new CachedSequence(_sequence, 3, Capacity + 1), Head));
        Assert.Equal(0, caches.Bytes);
    }

    [Fact]
    public void A_sequence_for_which_there_is_no_room_is_not_kept_and_takes_none_from_others()
    {
        using var caches = Caches(limit: CacheBytes);
        Keep(caches, First, rows: 3);

        Assert.Null(caches.Take(First, new CachedSequence(Guid.NewGuid(), 0, Capacity), Head));
        Assert.Equal(CacheBytes, caches.Bytes);

        caches.Forget(_sequence);
        Assert.Equal(0, caches.Bytes);
        using var taken = caches.Take(First, new CachedSequence(Guid.NewGuid(), 0, Capacity), Head);
        Assert.NotNull(taken);
    }

    [Fact]
    public void A_sequence_of_which_a_head_finds_no_room_leaves_that_of_the_others_to_others()
    {
        using var caches = Caches(limit: CacheBytes);
        Keep(caches, First, rows: 3);

        Assert.Null(caches.Take(Second, new CachedSequence(_sequence, 0, Capacity), Head));

        Assert.Equal(0, caches.Bytes);
        AssertLost(caches, First, past: 3);
    }

    [Fact]
    public void What_travels_with_a_head_is_counted_by_what_it_holds_and_is_no_more_than_a_message_should_hold()
    {
        // 16 MiB, of 512 bytes a row, and a row more.
        const int TooMany = (16 << 20) / 512 + 1;
        using var caches = Caches(limit: 1L << 30);
        var wide = Guid.NewGuid();
        Keep(caches, First, rows: 5, wide, capacity: TooMany);
        Keep(caches, First, rows: 3);
        Keep(caches, First, rows: TooMany, Guid.NewGuid(), capacity: TooMany);

        var states = caches.TakeAll(First);

        Assert.Equal([(wide, 5), (_sequence, 3)], states.Select(state => (state.Sequence, state.Rows.Rows)).OrderByDescending(state => state.Rows));
        Assert.Equal(0, caches.Bytes);
    }

    [Fact]
    public void What_is_longer_than_it_may_become_is_not_taken_for_a_sequence()
    {
        using var caches = Caches();

        caches.Restore(First, [new SequenceState(_sequence, Capacity: 2, Matrices.Random(3, 128))], Head);

        Assert.Equal(0, caches.Bytes);
    }

    [Fact]
    public void A_sequence_that_nobody_asks_for_is_let_go_of_after_ten_minutes()
    {
        using var caches = Caches();
        var idle = _sequence;
        Keep(caches, First, rows: 3);
        Keep(caches, Second, rows: 3);
        var used = Guid.NewGuid();
        Keep(caches, First, rows: 3, sequence: used);
        _clock.Advance(TimeSpan.FromMinutes(8));
        Assert.Equal(3 * CacheBytes, caches.Bytes);
        using (var taken = caches.Take(First, new CachedSequence(used, 3, Capacity), Head)!)
        {
            taken.Keep();
        }

        _clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(CacheBytes, caches.Bytes);
        AssertLost(caches, First, past: 3);
        caches.Take(First, new CachedSequence(used, 3, Capacity), Head)!.Keep();
    }

    [Fact]
    public void A_head_takes_with_it_what_it_has_of_every_sequence_and_others_keep_theirs()
    {
        using var caches = Caches();
        var other = Guid.NewGuid();
        Keep(caches, First, rows: 3);
        Keep(caches, First, rows: 40, sequence: other);
        Keep(caches, Second, rows: 3);

        var states = caches.TakeAll(First);

        Assert.Equal([3, 40], states.Select(state => state.Rows.Rows).Order());
        Assert.Equal(CacheBytes, caches.Bytes);
        using var there = Caches();
        there.Restore(First, states, Head);
        Assert.Equal(2 * CacheBytes, there.Bytes);
        using var taken = there.Take(First, new CachedSequence(other, 40, Capacity), Head)!;
        var expected = Row(rows: 40);
        var actual = new float[40 * 128];
        taken.Cache.CopyTo(actual);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void What_there_is_no_room_for_where_a_head_comes_is_lost()
    {
        using var caches = Caches();
        Keep(caches, First, rows: 3);
        using var there = Caches(limit: CacheBytes - 1);

        there.Restore(First, caches.TakeAll(First), Head);

        Assert.Equal(0, there.Bytes);
        AssertLost(there, First, past: 3);
    }

    [Fact]
    public void A_head_that_goes_away_leaves_nothing()
    {
        using var caches = Caches();
        Keep(caches, First, rows: 3);
        Keep(caches, Second, rows: 3);

        caches.Forget(First);

        Assert.Equal(CacheBytes, caches.Bytes);
        AssertLost(caches, First, past: 3);
    }

    [Fact]
    public void What_is_of_other_sizes_than_the_head_is_not_taken_for_its_own()
    {
        using var caches = Caches();

        caches.Restore(First, [new SequenceState(_sequence, Capacity, Matrices.Random(3, 96))], Head);

        AssertLost(caches, First, past: 3);
    }

    private static float[] Row(int rows) => [.. Enumerable.Range(0, rows * 128).Select(i => (float)i)];

    private SequenceCaches Caches(long limit = 1 << 20) =>
        new(Options.Create(new HeadClusterOptions { SequenceMemoryBytes = limit }), new SomeSilo(SiloAddress.Zero), _clock);

    private void Keep(SequenceCaches caches, HeadId head, int rows, Guid? sequence = null, int capacity = Capacity)
    {
        using var taken = caches.Take(head, new CachedSequence(sequence ?? _sequence, 0, capacity), Head)!;
        taken.Cache.Append(Row(rows), 128, Row(rows).AsSpan(64), 128, rows);
        taken.Keep();
    }

    private void AssertLost(SequenceCaches caches, HeadId head, int past) => Assert.Equal(
        HeadClusterErrorKind.StateLost,
        Assert.Throws<HeadClusterException>(() => caches.Take(head, new CachedSequence(_sequence, past, Capacity), Head)).Kind);
}
