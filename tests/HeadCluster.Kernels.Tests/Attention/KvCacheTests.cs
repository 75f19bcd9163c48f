namespace HeadCluster.Kernels.Tests.Attention;

public sealed class KvCacheTests
{
    [Fact]
    public void KvCache_append_past_capacity_throws_and_appends_nothing()
    {
        using var cache = new KvCache(2, 3, capacity: 4);
        cache.Append(new float[6], 2, new float[9], 3, 3);
        Assert.Throws<InvalidOperationException>(() => cache.Append(new float[4], 2, new float[6], 3, 2));
        Assert.Equal(3, cache.Length);
    }

    [Fact]
    public void KvCache_append_of_short_spans_throws_and_appends_nothing()
    {
        using var cache = new KvCache(2, 3, capacity: 4);
        Assert.Throws<ArgumentException>(() => cache.Append(new float[3], 2, new float[6], 3, 2));
        Assert.Throws<ArgumentException>(() => cache.Append(new float[4], 2, new float[5], 3, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Append(new float[4], 1, new float[6], 3, 2));
        Assert.Equal(0, cache.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(100)]
    public void KvCache_filled_in_any_steps_reads_the_same(int step)
    {
        var (keys, values) = (Data.Noise(1, 100 * 5), Data.Noise(2, 100 * 20));
        using var whole = new KvCache(5, 20, 100);
        using var stepwise = new KvCache(5, 20, 100);
        whole.Append(keys, 5, values, 20, 100);
        for (var first = 0; first < 100; first += step)
        {
            stepwise.Append(keys.AsSpan(first * 5), 5, values.AsSpan(first * 20), 20, Math.Min(step, 100 - first));
        }

        Assert.Equal(100, stepwise.Length);
        Data.SameBits(Attend(whole), Attend(stepwise));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(100)]
    public void KvCache_copied_out_and_appended_elsewhere_reads_the_same(int length)
    {
        var (keys, values) = (Data.Noise(1, 100 * 5), Data.Noise(2, 100 * 20));
        using var original = new KvCache(5, 20, 100);
        original.Append(keys, 5, values, 20, 100);
        original.Truncate(length);
        using var rows = new Guarded(length * 25);
        original.CopyTo(rows.Span);
        rows.Check();

        using var copy = new KvCache(5, 20, 100);
        copy.Append(rows.Span, 25, rows.Span[Math.Min(5, rows.Span.Length)..], 25, length);
        copy.Append(keys.AsSpan(length * 5), 5, values.AsSpan(length * 20), 20, 100 - length);
        using var whole = new KvCache(5, 20, 100);
        whole.Append(keys, 5, values, 20, 100);
        Data.SameBits(Attend(whole), Attend(copy));
        Assert.Throws<ArgumentException>(() => whole.CopyTo(new float[2499]));
    }

    [Fact]
    public void KvCache_takes_at_least_what_its_size_says()
    {
        using var cache = new KvCache(5, 20, 100);

        // Keys stand in groups of 64, values in vectors of 16.
        Assert.Equal(sizeof(float) * ((128 * 5) + (100 * 32)), KvCache.SizeOf(5, 20, 100));
        Assert.True(cache.Bytes >= KvCache.SizeOf(5, 20, 100));
        cache.Dispose();
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public void KvCache_cleared_holds_only_what_is_appended_next()
    {
        using var fresh = new KvCache(5, 20, 30);
        using var reused = new KvCache(5, 20, 30);
        reused.Append(Data.Noise(3, 150, float.PositiveInfinity), 5, Data.Noise(4, 600, float.PositiveInfinity), 20, 30);
        reused.Clear();
        fresh.Append(Data.Noise(1, 35), 5, Data.Noise(2, 140), 20, 7);
        reused.Append(Data.Noise(1, 35), 5, Data.Noise(2, 140), 20, 7);
        Data.SameBits(Attend(fresh), Attend(reused));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(30)]
    [InlineData(300)]
    public void KvCache_reset_to_any_capacity_holds_only_what_is_appended_next(int before)
    {
        using var fresh = new KvCache(5, 20, 30);
        using var reused = new KvCache(5, 20, before);
        reused.Append(Data.Noise(3, before * 5, float.PositiveInfinity), 5, Data.Noise(4, before * 20, float.PositiveInfinity), 20, before);
        reused.Reset(30);
        Assert.Equal(0, reused.Length);
        Assert.Equal(Math.Max(before, 30), reused.Capacity);
        fresh.Append(Data.Noise(1, 150), 5, Data.Noise(2, 600), 20, 30);
        reused.Append(Data.Noise(1, 150), 5, Data.Noise(2, 600), 20, 30);
        Data.SameBits(Attend(fresh), Attend(reused));
    }

    [Fact]
    public void KvCache_reset_to_less_keeps_its_memory_and_to_nothing_its_room()
    {
        using var cache = new KvCache(2, 3, 100);
        cache.Reset(10);
        cache.Reset(0);
        cache.Append(new float[200], 2, new float[300], 3, 100);
        Assert.Equal((100, 100), (cache.Length, cache.Capacity));
    }

    [Fact]
    public void KvCache_reset_past_what_an_array_can_hold_throws()
    {
        using var cache = new KvCache(1024, 3, 4);
        Assert.Throws<OverflowException>(() => cache.Reset(int.MaxValue / 1000));
    }

    [Fact]
    public void KvCache_used_after_dispose_throws()
    {
        var cache = new KvCache(2, 3, 4);
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cache.Append(new float[2], 2, new float[3], 3, 1));
        Assert.Throws<ObjectDisposedException>(() => cache.Reset(4));
    }

    private static float[] Attend(KvCache cache)
    {
        var output = new float[20];
        AttentionKernel.Attend(Data.Noise(9, 5), 5, 1, 0, cache, new AttentionOptions(1), AttentionMask.None, output, 20);
        return output;
    }
}
