namespace HeadCluster.Cli.Bench;

/// <summary>How much time the measurement of a layer takes.</summary>
/// <param name="LeastRounds">Rounds, however long they take.</param>
/// <param name="MostRounds">Rounds, however short they are.</param>
/// <param name="Budget">Between the two, rounds begin for so long.</param>
/// <param name="Sample">The least that one sample takes.</param>
/// <param name="WarmUp">What precedes the first round; of splits, each sample too, since the scheduler has to have seen it for as long.</param>
internal sealed record BenchEffort(int LeastRounds, int MostRounds, TimeSpan Budget, Amount Sample, Amount WarmUp)
{
    public static BenchEffort Full { get; } =
        new(LeastRounds: 10, MostRounds: 30, TimeSpan.FromSeconds(40), new Amount(Calls: 1, Seconds: 0.25), new Amount(Calls: 10, Seconds: 2));

    public static BenchEffort Quick { get; } =
        new(LeastRounds: 3, MostRounds: 10, TimeSpan.FromSeconds(1.5), new Amount(Calls: 1, Seconds: 0.01), new Amount(Calls: 1, Seconds: 0.2));

    /// <summary>
    /// Before everything else: a layer whose input is large enough for every path to be taken and small enough for many calls, after
    /// which the runtime compiles its own libraries for good.
    /// </summary>
    public static (BenchShape Shape, Amount Amount) ProcessWarmUp { get; } = (new(256, 768, 12), new Amount(Calls: 60, Seconds: 1));
}

/// <summary>How often something is done: until both are reached.</summary>
internal sealed record Amount(int Calls, double Seconds);
