namespace HeadCluster.Scheduling;

/// <summary>What one silo does of one layer.</summary>
internal struct SiloWork
{
    /// <summary>Heads.</summary>
    public int Heads;

    /// <summary>Time of all heads one after the other, in seconds.</summary>
    public double Sum;

    /// <summary>Time of the longest head, in seconds.</summary>
    public double Longest;

    /// <summary>Size of their outputs, in bytes.</summary>
    public long OutputBytes;

    /// <summary>Size of the largest output, in bytes.</summary>
    public long LargestOutput;

    /// <summary>The same with one more head.</summary>
    public readonly SiloWork With(double seconds, in HeadLoad head) => new()
    {
        Heads = Heads + 1,
        Sum = Sum + seconds,
        Longest = Math.Max(Longest, seconds),
        OutputBytes = OutputBytes + head.OutputBytes,
        LargestOutput = Math.Max(LargestOutput, head.OutputBytes),
    };
}
