using System.Diagnostics;
using HeadCluster.Cli.Clusters;
using HeadCluster.Cli.Output;
using HeadCluster.Client;

namespace HeadCluster.Cli.Demo;

/// <summary>
/// Sorts letters with the shipped model on two silos, then checks what HeadCluster promises: the answers, the logits against
/// the definition, and the same bits on one silo.
/// </summary>
internal static class SortingDemo
{
    private const string Model = "nano-gpt";

    // About as often as one can follow.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private static readonly string ModelPath = Path.Combine(AppContext.BaseDirectory, "models", Model);

    private static readonly KeyValuePair<string, string?>[] Settings = [KeyValuePair.Create($"HeadCluster:Models:{Model}:Path", (string?)ModelPath)];

    // Patterns to look at, and heads on both silos: the scheduler would rather have these few on one.
    private static readonly KeyValuePair<string, string?>[] PageSettings =
    [
        .. Settings,
        KeyValuePair.Create("HeadCluster:Patterns:SampleInterval", (string?)"00:00:03"),
        KeyValuePair.Create("HeadCluster:Scheduling:Automatic", (string?)"false"),
    ];

    public static async Task<DemoAnswer> RunAsync(string[] inputs, CancellationToken cancellationToken)
    {
        await using var two = await StartAsync("headcluster-demo-two", ["silo-1", "silo-2"], cancellationToken);
        var sorted = new List<SortedInput>();
        var firstAnswer = 0.0;
        foreach (var letters in inputs)
        {
            sorted.Add(await SortAsync(two.Client, letters, cancellationToken));
            firstAnswer = sorted.Count == 1 ? SecondsSinceStart() : firstAnswer;
        }

        // All tokens but the last answered one: the model has positions for that many, and the last is not fed back.
        var sequences = sorted.ConvertAll(input => Letters.ToTokens(input.Letters + input.Answer[..^1]));
        var passes = await ForwardAsync(two.Client, sequences, PatternSelection.All, cancellationToken);
        var status = await two.Client.StatusAsync(cancellationToken);

        await using var one = await StartAsync("headcluster-demo-one", ["silo-3"], cancellationToken);
        var passesOnOne = await ForwardAsync(one.Client, sequences, patterns: null, cancellationToken);

        return new DemoAnswer(
            sorted,
            DescribeHeads(status, sequences, passes),
            ReferenceComparison.MaxDifference(ModelPath, sequences.Zip(passes.Select(pass => pass.Logits))),
            LogitsHash.Of(passes.Select(pass => pass.Logits)),
            LogitsHash.Of(passesOnOne.Select(pass => pass.Logits)),
            firstAnswer);
    }

    /// <summary>
    /// Goes on sorting on two silos, so that there is something to see on their page, until it is cancelled.
    /// </summary>
    /// <param name="pagePort">Port of the page.</param>
    /// <param name="ready">Is called once the page is there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task ServePageAsync(int pagePort, Action ready, CancellationToken cancellationToken)
    {
        await using var cluster = await EmbeddedCluster.StartAsync(
            "headcluster-demo-page", ["silo-1", "silo-2"], PageSettings, cancellationToken, pagePort);
        ready();
        var random = new Random(1);
        while (true)
        {
            await SortAsync(cluster.Client, Letters.FromTokens(random.GetItems([0, 1, 2], Letters.Count)), cancellationToken);
            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }

    private static Task<EmbeddedCluster> StartAsync(string clusterId, string[] silos, CancellationToken cancellationToken) =>
        EmbeddedCluster.StartAsync(
            clusterId,
            silos,
            Settings,
            cancellationToken);

    private static async Task<SortedInput> SortAsync(HeadClusterClient client, string letters, CancellationToken cancellationToken)
    {
        var tokens = await client
            .GenerateAsync(Model, Letters.ToTokens(letters), Letters.Count, cancellationToken)
            .ToListAsync(cancellationToken);
        var answer = Letters.FromTokens(tokens.Select(token => token.Token));
        return new SortedInput(letters, answer, answer == Letters.Sort(letters));
    }

    private static async Task<ForwardResult[]> ForwardAsync(
        HeadClusterClient client,
        List<int[]> sequences,
        PatternSelection? patterns,
        CancellationToken cancellationToken)
    {
        var results = new ForwardResult[sequences.Count];
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = await client.ForwardAsync(Model, new ForwardRequest(sequences[i], Patterns: patterns), cancellationToken);
        }

        return results;
    }

    private static DemoHead[] DescribeHeads(ClusterStatus status, List<int[]> sequences, ForwardResult[] passes)
    {
        var names = new SiloNames(status);
        return Array.ConvertAll(status.Heads, head => new DemoHead(
            head.Head.Layer,
            head.Head.KvHead,
            names.Of(head.Silo),
            head.Queue.P50.TotalMicroseconds,
            head.Project.P50.TotalMicroseconds,
            head.Attend.P50.TotalMicroseconds,
            OnPreviousToken(head.Head)));

        double OnPreviousToken(HeadId head) => HeadScores.Mean(
            [.. sequences.Zip(passes, (tokens, pass) => HeadScores.Of(pass.Layers[head.Layer][head.KvHead].Patterns![0].Matrix(0), tokens))]).PreviousToken!.Value;
    }

    private static double SecondsSinceStart()
    {
        using var process = Process.GetCurrentProcess();
        return (TimeProvider.System.GetUtcNow() - process.StartTime.ToUniversalTime()).TotalSeconds;
    }
}
