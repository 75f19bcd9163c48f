using System.Net;
using HeadCluster.Scheduling;

namespace HeadCluster.Cli.Simulate;

/// <summary>One silo of a simulated fleet: what it can do when nothing disturbs it, and what it can do now.</summary>
internal sealed class SimulatedSilo
{
    private readonly SiloCapacity _nominal;

    /// <param name="index">Number of the silo, which is never used again.</param>
    /// <param name="random">Where its threads, speed and memory come from.</param>
    /// <param name="shareBytes">Memory of an even share of the heads, in bytes.</param>
    public SimulatedSilo(int index, Random random, double shareBytes)
    {
        var speed = 0.5 + (1.5 * random.NextDouble());
        _nominal = new SiloCapacity(
            // An address's hash is its port ^ its generation: were these alike, all silos would share one.
            SiloAddress.New(IPAddress.Loopback, 1 + (index % ushort.MaxValue), 1 + (index / ushort.MaxValue)),
            FormattableString.Invariant($"silo-{index}"),
            Threads: 4 << random.Next(3),
            OperationsPerSecond: 40e9 * speed,
            ReadBytesPerSecond: 40e9 * speed,
            MemoryBytes: (long)(shareBytes * (2 + (2 * random.NextDouble()))),
            CallTime: TimeSpan.FromMicroseconds(10));
    }

    /// <summary>Its address.</summary>
    public SiloAddress Address => _nominal.Silo;

    /// <summary>Memory, in bytes.</summary>
    public long MemoryBytes => _nominal.MemoryBytes;

    /// <summary>Whether it is there.</summary>
    public bool IsAlive { get; set; } = true;

    /// <summary>By how much it is slower than it could be, 1 or more.</summary>
    public double Slowdown { get; set; } = 1;

    /// <summary>What it can do now.</summary>
    public SiloCapacity Capacity => _nominal with
    {
        OperationsPerSecond = _nominal.OperationsPerSecond / Slowdown,
        ReadBytesPerSecond = _nominal.ReadBytesPerSecond / Slowdown,
    };
}
