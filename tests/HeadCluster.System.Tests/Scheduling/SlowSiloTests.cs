using System.Diagnostics;
using System.Globalization;
using HeadCluster.Client;

namespace HeadCluster.System.Tests.Scheduling;

/// <summary>
/// A silo whose core others take their share of has its heads moved away, and they stay away. The long form is
/// <c>HEADCLUSTER_SLOW_REQUESTS=2000 dotnet test -c Release</c>: minutes, in which the silo that has lost them is measured again.
/// </summary>
/// <remarks>After the others, by itself: what else the machine computes may be reason enough for heads to go back.</remarks>
[Collection(nameof(SlowSiloTests))]
[CollectionDefinition(nameof(SlowSiloTests), DisableParallelization = true)]
public sealed class SlowSiloTests(ITestOutputHelper output)
{
    private const string Model = "random:gpt2-small?layers=1&positions=512";
    private const int Heads = 12;
    private const int Rows = 512;

    // Many, since what else this machine does may take its share of the other core.
    private const int Competitors = 8;

    private static readonly int Requests = int.Parse(Environment.GetEnvironmentVariable("HEADCLUSTER_SLOW_REQUESTS") ?? "30", CultureInfo.InvariantCulture);

    private static readonly Dictionary<string, string> OneThread = new(SiloProcess.Rehearsed) { ["HeadCluster__ComputeThreads"] = "1" };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Heads_leave_a_silo_that_has_become_slow_and_stay_where_they_went()
    {
        var taskset = Tool.Require("taskset");
        Assert.SkipWhen(Environment.ProcessorCount < 2, "two silos need two processors of their own");
        await using var steady = await SiloProcess.StartSchedulingAsync(primary: null, OneThread, "--name", "steady");
        await using var slowed = await SiloProcess.StartSchedulingAsync(steady, OneThread, "--name", "slowed");
        await PinAsync(taskset, steady.Process, core: 0);
        await PinAsync(taskset, slowed.Process, core: 1);
        await using var client = await HeadClusterClient.ConnectAsync(steady.Gateway, Stop);
        var names = (await client.StatusAsync(Stop)).Silos.ToDictionary(silo => silo.Address, silo => silo.Name);
        var input = Inputs.Matrix(Rows, columns: 768);
        var competitors = Enumerable.Range(0, Competitors).Select(_ => Process.Start(taskset, ["-c", "1", "sh", "-c", "while :; do :; done"])).ToList();
        try
        {
            // Spread evenly by the first request, and measured from then on.
            var first = await client.AttendAsync(Model, 0, input, Stop);
            var expected = first.Output.Span.ToArray();
            var began = TimeProvider.System.GetTimestamp();
            var even = new List<TimeSpan>();
            await Eventually.IsTrueAsync(
                async () =>
                {
                    even.Add(await AskAsync(expected));
                    return (await PlacesAsync()).Values.Count(silo => silo == "steady") >= 8;
                },
                "most heads are on the silo that has its core for itself");
            output.WriteLine($"heads have left after {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s");

            var left = (await PlacesAsync()).Where(place => place.Value == "steady" && names[first.Heads[place.Key].Silo] == "slowed").Select(place => place.Key).ToList();
            Assert.NotEmpty(left);
            var planned = new List<TimeSpan>();
            while (planned.Count < Requests)
            {
                for (var request = 0; request < 30; request++)
                {
                    planned.Add(await AskAsync(expected));
                }

                var now = await PlacesAsync();
                Assert.All(left, head => Assert.Equal("steady", now[head]));
            }

            output.WriteLine($"a request took {even.Order().ElementAt(even.Count / 2).TotalMilliseconds:0.0} ms before, and {planned.Order().ElementAt(planned.Count / 2).TotalMilliseconds:0.0} ms afterwards");
        }
        finally
        {
            foreach (var competitor in competitors)
            {
                competitor.Kill();
                competitor.Dispose();
            }
        }

        async Task<TimeSpan> AskAsync(float[] expected)
        {
            var answer = await client.AttendAsync(Model, 0, input, Stop);
            Assert.Equal(expected, answer.Output.Span);
            return answer.Elapsed;
        }

        // A head that is just moving may be active nowhere for an instant.
        async Task<Dictionary<int, string>> PlacesAsync()
        {
            ClusterStatus? status = null;
            await Eventually.IsTrueAsync(async () => (status = await client.StatusAsync(Stop)).Heads.Length == Heads, "every head is active");
            return status!.Heads.ToDictionary(head => head.Head.KvHead, head => names[head.Silo]);
        }
    }

    // All threads that it has and will have.
    private static async Task PinAsync(string taskset, Process process, int core) =>
        await Tool.SucceedAsync(taskset, "-a", "-c", "-p", $"{core}", $"{process.Id}");
}
