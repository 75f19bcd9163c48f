namespace HeadCluster.Tests;

/// <summary>Time that passes only when it is told to.</summary>
internal sealed class Clock : TimeProvider
{
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now;

    public void Pass(TimeSpan time) => _now += time.Ticks;
}
