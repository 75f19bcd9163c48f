namespace HeadCluster.Cli.Demo;

/// <summary>What the demo found; its JSON and the source of its tables.</summary>
/// <param name="Inputs">What was sorted, and how.</param>
/// <param name="Heads">Each head: where it was, the medians of its times, and how much it attends to the token before.</param>
/// <param name="MaxDifference">Largest absolute difference of a logit from the single-threaded reference.</param>
/// <param name="Sha256">SHA-256 of all logits, computed on two silos.</param>
/// <param name="Sha256OnOneSilo">SHA-256 of all logits, computed on one silo.</param>
/// <param name="FirstAnswerSeconds">From the start of the process to the first sorted input.</param>
internal sealed record DemoAnswer(
    IReadOnlyList<SortedInput> Inputs,
    IReadOnlyList<DemoHead> Heads,
    double MaxDifference,
    string Sha256,
    string Sha256OnOneSilo,
    double FirstAnswerSeconds)
{
    /// <summary>The largest difference from the reference that passes for float32 rounding.</summary>
    public const double Tolerance = 1e-5;

    /// <summary>Whether one silo gave the same bits as two.</summary>
    public bool OneHash => Sha256 == Sha256OnOneSilo;

    /// <summary>Whether all that the demo claims held.</summary>
    public bool Holds => OneHash && MaxDifference <= Tolerance && Inputs.All(input => input.Sorted);
}

/// <summary>One input and its answer.</summary>
internal sealed record SortedInput(string Letters, string Answer, bool Sorted);

/// <summary>One head of the model.</summary>
internal sealed record DemoHead(
    int Layer,
    int Head,
    string Silo,
    double QueueMicroseconds,
    double ProjectMicroseconds,
    double AttendMicroseconds,
    double PreviousTokenShare);
