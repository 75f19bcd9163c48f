using HeadCluster.Memory;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Memory;

public sealed class SpareArraysTests
{
    private const int Length = 5000;

    private readonly FakeTimeProvider _clock = new();
    private readonly SpareArrays<float> _arrays;

    public SpareArraysTests() => _arrays = new SpareArrays<float>(_clock);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 8192)]
    public void Array_is_as_long_as_the_next_power_of_two(int asked, int given) => Assert.Equal(given, _arrays.Rent(asked).Length);

    [Fact]
    public async Task Array_that_one_thread_returned_is_what_another_rents()
    {
        var array = await OnThreadOfItsOwnAsync(() =>
        {
            var mine = _arrays.Rent(Length);
            _arrays.Return(mine);
            return mine;
        });

        Assert.Same(array, await OnThreadOfItsOwnAsync(() => _arrays.Rent(Length + 1)));
    }

    [Fact]
    public void Array_in_use_is_nobody_elses()
    {
        var one = _arrays.Rent(Length);

        Assert.NotSame(one, _arrays.Rent(Length));
    }

    [Fact]
    public void Arrays_that_nobody_needed_for_a_period_are_let_go_and_the_others_stay()
    {
        float[][] burst = [_arrays.Rent(Length), _arrays.Rent(Length), _arrays.Rent(Length)];
        Array.ForEach(burst, _arrays.Return);
        PassPeriod();

        // One at a time suffices from here on.
        _arrays.Return(_arrays.Rent(Length));
        PassPeriod();

        var (kept, fresh) = (_arrays.Rent(Length), _arrays.Rent(Length));

        // The same arrays, not others that also hold zeros.
        Assert.Contains(burst, array => ReferenceEquals(array, kept));
        Assert.DoesNotContain(burst, array => ReferenceEquals(array, fresh));
    }

    [Fact]
    public void Arrays_that_are_needed_now_and_then_stay()
    {
        float[][] arrays = [_arrays.Rent(Length), _arrays.Rent(Length)];
        for (var period = 0; period < 5; period++)
        {
            Array.ForEach(arrays, _arrays.Return);
            PassPeriod();
            float[][] again = [_arrays.Rent(Length), _arrays.Rent(Length)];
            Assert.Equal(arrays.ToHashSet(), again.ToHashSet());
        }
    }

    // Whoever rents next looks through all that is there.
    private void PassPeriod()
    {
        _clock.Advance(TimeSpan.FromMinutes(1));
        _ = _arrays.Rent(1);
    }

    private static Task<T> OnThreadOfItsOwnAsync<T>(Func<T> function) =>
        Task.Factory.StartNew(function, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
