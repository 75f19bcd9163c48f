using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using HeadCluster.Grains;
using HeadCluster.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Attention;

/// <summary>Calls that nobody answers, as those to a silo that has died.</summary>
public sealed class LostCallTests
{
    private const string Model = "random:gpt2-small?layers=1";

    // Without the second question it would not end.
    [Fact(Timeout = 60_000)]
    public async Task A_head_that_does_not_say_where_it_is_is_asked_again()
    {
        var stop = TestContext.Current.CancellationToken;
        var lost = 0;
        var end = new TaskCompletionSource();
        await using var cluster = await BareCluster.StartAsync(1, silo => silo.AddIncomingGrainCallFilter(call =>
            call.MethodName == nameof(IAttentionHeadGrain.LocateAsync) && Interlocked.Exchange(ref lost, 1) == 0
                ? end.Task
                : call.Invoke()));

        var result = await cluster.Client.GetGrain<IMultiHeadAttentionGrain>(new LayerId(Model, 0).ToString())
            .AttendAsync(new AttentionRequest(Matrices.Random(10, 768)), stop);

        Assert.Equal(12, result.Heads.Length);
        Assert.Equal(1, lost);

        // So that the silo can stop.
        end.SetResult();
    }

    // Without a look at whether it is served it would not end.
    [Fact(Timeout = 60_000)]
    public async Task A_layer_that_does_not_serve_what_a_model_asked_it_for_is_asked_again()
    {
        var stop = TestContext.Current.CancellationToken;
        var lost = 0;
        var end = new TaskCompletionSource();
        await using var cluster = await BareCluster.StartAsync(1, silo =>
        {
            silo.AddHeadCluster(options => options.Models[NanoGpt.Name] = new() { Path = NanoGpt.Directory });
            silo.AddIncomingGrainCallFilter(call =>
                call.InterfaceMethod.DeclaringType == typeof(IMultiHeadAttentionGrain)
                && call.MethodName == nameof(IMultiHeadAttentionGrain.AttendAsync)
                && Interlocked.Exchange(ref lost, 1) == 0
                    ? end.Task
                    : call.Invoke());
        });

        var result = await cluster.Client.GetGrain<ITransformerGrain>(NanoGpt.Name).ForwardAsync(new ForwardRequest([0, 1, 2]), stop);

        Assert.Equal(3, result.Logits.Rows);
        Assert.Equal(1, lost);

        // So that the silo can stop.
        end.SetResult();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_layer_that_loses_a_silo_late_tries_for_as_long_as_one_that_loses_it_at_once()
    {
        var stop = TestContext.Current.CancellationToken;
        var clock = new FakeTimeProvider();
        var calls = 0;
        var again = new TaskCompletionSource();
        await using var cluster = await BareCluster.StartAsync(2, silo =>
        {
            silo.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<LayerServices>(services, clock));
            silo.AddOutgoingGrainCallFilter(call =>
            {
                if (call.InterfaceMethod.DeclaringType == typeof(IHeadRelay) && call.MethodName == nameof(IHeadRelay.AttendAsync))
                {
                    if (Interlocked.Increment(ref calls) == 1)
                    {
                        clock.Advance(TimeSpan.FromMinutes(2));
                        throw new SiloUnavailableException("a test");
                    }

                    again.SetResult();
                }

                return call.Invoke();
            });
        });
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).ToArray();
        await cluster.Client.GetGrain<IHeadSchedulerGrain>(Model).MoveAsync(new LayerId(Model, 0).Head(0), silos[1], stop);

        using var there = PlacementHint.On(silos[0]);
        var attending = cluster.Client.GetGrain<IMultiHeadAttentionGrain>(new LayerId(Model, 0).ToString())
            .AttendAsync(new AttentionRequest(Matrices.Random(10, 768)), stop);
        while (!again.Task.IsCompleted && !attending.IsCompleted)
        {
            // The pause before it asks again.
            clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        Assert.Equal(12, (await attending).Heads.Length);
        Assert.Equal(2, calls);
    }

    // Without an end of the recovery it would not end.
    [Fact(Timeout = 60_000)]
    public async Task A_layer_that_cannot_reach_a_silo_for_as_long_as_it_tries_says_which_heads_did_not_answer()
    {
        var stop = TestContext.Current.CancellationToken;
        var clock = new PassingPauses();
        var asked = new ConcurrentQueue<TimeSpan>();
        await using var cluster = await BareCluster.StartAsync(2, silo =>
        {
            silo.AddHeadCluster(options => options.RecoveryTimeout = TimeSpan.FromMinutes(2));
            silo.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<LayerServices>(services, clock));
            silo.AddOutgoingGrainCallFilter(call =>
            {
                if (call.InterfaceMethod.DeclaringType == typeof(IHeadRelay) && call.MethodName == nameof(IHeadRelay.AttendAsync))
                {
                    asked.Enqueue(clock.Passed);
                    throw new SiloUnavailableException("a test");
                }

                return call.Invoke();
            });
        });
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).ToArray();
        for (var head = 0; head < 12; head++)
        {
            await cluster.Client.GetGrain<IHeadSchedulerGrain>(Model).MoveAsync(new LayerId(Model, 0).Head(head), silos[head / 11], stop);
        }

        using var there = PlacementHint.On(silos[0]);
        var layer = cluster.Client.GetGrain<IMultiHeadAttentionGrain>(new LayerId(Model, 0).ToString());
        var error = await Assert.ThrowsAsync<HeadClusterException>(() => layer.AttendAsync(new AttentionRequest(Matrices.Random(10, 768)), stop));

        Assert.Equal((HeadClusterErrorKind.Unavailable, true), (error.Kind, error.IsTransient));
        Assert.Matches($@"^layer {Regex.Escape(Model)}/0: .*11.* did not answer within 120\.0 s.*: a test$", error.Message);
        Assert.Equal(TimeSpan.Zero, asked.First());
        Assert.InRange(asked.Last(), TimeSpan.FromMinutes(2) - TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));
    }

    // Without a look at where the head is it would not end.
    [Fact(Timeout = 60_000)]
    public async Task A_head_that_is_not_where_its_call_was_passed_on_to_is_asked_again()
    {
        var stop = TestContext.Current.CancellationToken;
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var never = new TaskCompletionSource();
        await using var cluster = await BareCluster.StartAsync(2, silo => silo.AddOutgoingGrainCallFilter(call =>
            call.InterfaceMethod.DeclaringType == typeof(IAttentionHeadGrain) && call.MethodName == nameof(IAttentionHeadGrain.AttendAsync) && lost.TrySetResult()
                ? never.Task
                : call.Invoke()));
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).ToArray();
        var layer = new LayerId(Model, 0);
        var head = layer.Head(0);
        var scheduler = cluster.Client.GetGrain<IHeadSchedulerGrain>(Model);
        var request = new AttentionRequest(Matrices.Random(10, 768));
        await scheduler.MoveAsync(head, silos[1], stop);
        var expected = await AttendAsync();

        // The coordinator asks where the head was, and the relay there passes the call on.
        await scheduler.MoveAsync(head, silos[0], stop);
        var attending = AttendAsync();
        await lost.Task.WaitAsync(stop);
        await scheduler.MoveAsync(head, silos[1], stop);
        var actual = await attending;

        Assert.Equal(expected.Output.Span, actual.Output.Span);
        Assert.Equal(silos[1], actual.Heads[0].Silo);

        async Task<AttentionResult> AttendAsync()
        {
            using var there = PlacementHint.On(silos[0]);
            return await cluster.Client.GetGrain<IMultiHeadAttentionGrain>(layer.ToString()).AttendAsync(request, stop);
        }
    }

    /// <summary>A clock on which a pause of up to a second passes at once, and a longer one never: time is what was paused for.</summary>
    private sealed class PassingPauses : TimeProvider
    {
        private long _ticks;

        public TimeSpan Passed => TimeSpan.FromTicks(Interlocked.Read(ref _ticks));

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Passed.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime > TimeSpan.FromSeconds(1))
            {
                dueTime = Timeout.InfiniteTimeSpan;
            }
            else if (dueTime > TimeSpan.Zero)
            {
                Interlocked.Add(ref _ticks, dueTime.Ticks);
                dueTime = TimeSpan.Zero;
            }

            return System.CreateTimer(callback, state, dueTime, period);
        }
    }
}
