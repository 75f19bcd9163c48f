namespace HeadCluster.Kernels.Tests;

/// <summary>That the guards guard: every other test relies on it.</summary>
public sealed class GuardedTests
{
    [Theory]
    [InlineData(ChildProcess.ReadBehindSpan)]
    [InlineData(ChildProcess.WriteBehindSpan)]
    public async Task Access_behind_a_guarded_span_ends_the_process(string access)
    {
        var (exitCode, output) = await ChildProcess.RunAsync(access);
        Assert.NotEqual(0, exitCode);
        Assert.Empty(output);
    }

    [Fact]
    public void Write_before_a_guarded_span_is_found()
    {
        using Guarded guarded = new(5);
        guarded.Span.Fill(1);
        guarded.Check();
        System.Runtime.CompilerServices.Unsafe.Add(ref guarded.Span[0], -1) = 1;
        Assert.ThrowsAny<Exception>(guarded.Check);
    }

    [Fact]
    public void Guarded_span_of_any_length_can_be_filled()
    {
        for (var length = 0; length < 5000; length += 97)
        {
            using Guarded guarded = new(Data.Noise(length, length));
            Data.SameBits(Data.Noise(length, length), guarded.Span);
            guarded.Check();
        }
    }
}
