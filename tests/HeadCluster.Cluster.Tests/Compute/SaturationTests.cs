using System.Diagnostics.Metrics;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Compute;

/// <summary>Kernels have threads of their own: while all of them compute, silos answer each other's probes and a client's questions.</summary>
public sealed class SaturationTests
{
    private const string Model = "random:gpt2-small?layers=1";
    private static readonly FloatTensor Input = Matrices.Random(512, 768);

    [Fact]
    public async Task Silos_whose_compute_threads_are_all_busy_answer_probes_and_status_calls()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        await cluster.Client.AttendAsync(Model, 0, Input, stop);
        using var probes = new Probes(cluster.Silos, answered: 2);

        // More requests than there are threads, each followed by the next.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var load = Enumerable.Range(0, 2 * Environment.ProcessorCount).Select(_ => ComputeUntilAsync(cluster, enough.Token)).ToArray();
        await Task.WhenAll(cluster.Silos.Select(silo => cluster.WaitForComputationsAsync(silo, Environment.ProcessorCount, stop)));
        while (!probes.Answered.IsCompleted)
        {
            var status = await cluster.Client.StatusAsync(stop);
            Assert.Equal(12, status.Heads.Length);
            Assert.All(status.Silos, silo => Assert.Equal("Active", silo.Status));

            // No more than the compute threads of two silos: what waits for one takes no thread that answers.
            Assert.InRange(cluster.RunningComputations, 0, 2 * Environment.ProcessorCount);
        }

        Assert.Equal(0, probes.Missed);
        await enough.CancelAsync();
        await Task.WhenAll(load);
    }

    private static async Task ComputeUntilAsync(HeadClusterTestCluster cluster, CancellationToken enough)
    {
        try
        {
            while (true)
            {
                await cluster.Client.AttendAsync(Model, 0, Input, enough);
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }

    /// <summary>Orleans' own count of the probes by which silos of a cluster, of all in the process, see that the others are alive.</summary>
    private sealed class Probes : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly HashSet<string> _silos;
        private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _replies;
        private long _missed;

        public Probes(IEnumerable<SiloAddress> silos, int answered)
        {
            _silos = [.. silos.Select(silo => silo.ToString())];
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("orleans-messaging-pings-reply-", StringComparison.Ordinal))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Count(instrument, value, tags, answered));
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Count(instrument, value, tags, answered));
            _listener.Start();
        }

        /// <summary>Ends when as many probes were answered as asked for, or one was not.</summary>
        public Task Answered => _answered.Task;

        public long Missed => Interlocked.Read(ref _missed);

        public void Dispose() => _listener.Dispose();

        private void Count(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, int answered)
        {
            var isMine = false;
            foreach (var (name, destination) in tags)
            {
                isMine |= name == "Destination" && _silos.Contains($"{destination}");
            }

            if (!isMine)
            {
                return;
            }

            var missed = instrument.Name.EndsWith("missed", StringComparison.Ordinal);
            if (missed && Interlocked.Add(ref _missed, value) > 0 || !missed && Interlocked.Add(ref _replies, value) >= answered)
            {
                _answered.TrySetResult();
            }
        }
    }
}
