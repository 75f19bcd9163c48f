using System.Diagnostics;
using System.Globalization;
using HeadCluster.Client;
using HeadCluster.System.Tests.Page;

namespace HeadCluster.System.Tests.Telemetry;

/// <summary>A silo that has become slow is seen by everything that shows heads.</summary>
[Collection(TelemetryTests.Name)]
public sealed class SlowSiloTests(ITestOutputHelper output)
{
    private const string Model = "random:gpt2-small?layers=1&heads=4&positions=512";
    private const int Heads = 4;
    private const int Rows = 512;

    // So many that averages of the last requests have forgotten the first, which loaded and compiled.
    private const int QuickRequests = 64;
    private const int RequestsPerLook = 4;

    // The silo runs for some milliseconds of each tenth of a second, as on a machine that others have taken over. A head takes longer
    // than that to compute.
    private const string HoldUp = "while kill -STOP $0; do sleep 0.1; kill -CONT $0; sleep 0.002; done";

    private const string Steady = "steady";
    private const string Slowed = "slowed";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Heads_of_a_silo_that_has_become_slow_are_the_slow_ones_in_top_in_metrics_and_on_the_page()
    {
        var sh = Tool.Require("sh");
        await using var receiver = new OtlpReceiver();
        var environment = new Dictionary<string, string>(receiver.Environment)
        {
            ["OTEL_TRACES_SAMPLER"] = "always_off",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
            ["HeadCluster__TagMetricsByHead"] = "true",
            ["HeadCluster__ComputeThreads"] = "1",
        };
        var page = SiloProcess.FreePorts(1)[0];
        await using var steady = await SiloProcess.StartAsync(primary: null, environment, "--name", Steady, "--page-port", $"{page}");
        await using var slowed = await SiloProcess.StartAsync(steady, environment, "--name", Slowed);
        await using var client = await HeadClusterClient.ConnectAsync(steady.Gateway, Stop);
        var input = Inputs.Matrix(Rows, columns: 768);
        await AskAsync(QuickRequests);

        var names = (await client.StatusAsync(Stop)).Silos.ToDictionary(silo => silo.Address.ToParsableString(), silo => silo.Name);
        await Eventually.IsTrueAsync(() => Task.FromResult(Sent() is { Count: Heads } sent && sent.Values.All(head => head.Count >= QuickRequests)), "all heads");
        var before = Sent();

        using var holdUp = Process.Start(sh, ["-c", HoldUp, $"{slowed.Process.Id}"]);
        try
        {
            await AreSlowestAsync("top", TopAsync);
            await AreSlowestAsync("statistics", StatisticsAsync);
            await AreSlowestAsync("metrics", () => Task.FromResult(MeansSince(before)));

            await using var browser = await Browser.StartAsync();
            await browser.Page.GotoAsync($"http://localhost:{page}/");
            await AreSlowestAsync("page", () => CellsAsync(browser));
            await browser.TakePicturesAsync("slow-silo");
        }
        finally
        {
            holdUp.Kill();
        }

        async Task AskAsync(int requests)
        {
            for (var request = 0; request < requests; request++)
            {
                (await client.AttendAsync(Model, 0, input, Stop)).Output.Release();
            }
        }

        // Whoever shares the machine with the tests may slow the other silo too, for a while.
        Task AreSlowestAsync(string where, Func<Task<IReadOnlyList<(string Silo, double Time)>>> heads) => Eventually.IsTrueAsync(
            async () =>
            {
                await AskAsync(RequestsPerLook);
                var seen = await heads();
                var (slow, quick) = (Of(seen, Slowed), Of(seen, Steady));
                if (slow.Length + quick.Length < Heads || slow.Length == 0 || quick.Length == 0 || slow.Min() <= quick.Max())
                {
                    return false;
                }

                output.WriteLine($"{where}: {slow.Min():0.#} to {slow.Max():0.#} on the slowed silo, {quick.Min():0.#} to {quick.Max():0.#} on the other (µs; of top, places from below)");
                return true;
            },
            $"{where} has the heads of the slowed silo before all others");

        // Sorted by the command itself: a head's time is here its place from below.
        async Task<IReadOnlyList<(string Silo, double Time)>> TopAsync()
        {
            var answer = await CommandResult.SucceedAsync("top", "--cluster", steady.Gateway, "--json");
            var heads = answer.Json.GetProperty("heads").EnumerateArray().Select(head => head.GetProperty("silo").GetString()!).ToArray();
            return [.. heads.Select((silo, place) => (silo, (double)(heads.Length - place)))];
        }

        async Task<IReadOnlyList<(string Silo, double Time)>> StatisticsAsync() =>
            [.. (await client.GetHeadStatisticsAsync(Model, Stop)).Select(head => (names[head.Silo.ToParsableString()], head.Total.Recent.TotalMicroseconds))];

        Dictionary<long, OtlpSeries> Sent() => receiver.Series("headcluster.head.duration").ToDictionary(series => (long)series.Attributes["headcluster.head"]);

        IReadOnlyList<(string Silo, double Time)> MeansSince(Dictionary<long, OtlpSeries> earlier) =>
        [
            .. from head in Sent()
               let count = head.Value.Count - earlier[head.Key].Count
               where count > 0
               select (names[(string)head.Value.Attributes["headcluster.silo"]], 1e6 * (head.Value.Sum - earlier[head.Key].Sum) / count),
        ];
    }

    private static async Task<IReadOnlyList<(string Silo, double Time)>> CellsAsync(Browser browser)
    {
        var cells = await browser.Page.Locator(".cell:not(.absent)").EvaluateAllAsync<string[][]>("cells => cells.map(cell => [cell.dataset.silo, cell.dataset.value])");
        return [.. cells.Select(cell => (cell[0], double.Parse(cell[1], CultureInfo.InvariantCulture)))];
    }

    private static double[] Of(IReadOnlyList<(string Silo, double Time)> heads, string silo) => [.. heads.Where(head => head.Silo == silo).Select(head => head.Time)];
}
