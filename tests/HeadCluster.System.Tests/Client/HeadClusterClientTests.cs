using System.Globalization;
using System.Reflection;
using HeadCluster.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.System.Tests.Client;

public sealed class HeadClusterClientTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Client_serves_many_callers_at_once()
    {
        await using var silo = await SiloProcess.StartAsync();
        await using var client = await HeadClusterClient.ConnectAsync(silo.Gateway, Cancelled);

        var logits = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => client.LogitsAsync(Inputs.Model, new[] { 2, 0, 1 }, Cancelled)));

        Assert.All(logits, tensor => Assert.Equal(logits[0].Span, tensor.Span));
        Assert.Equal(3, (await client.DescribeAsync(Inputs.Model, Cancelled)).LayerCount);
    }

    [Fact]
    public async Task Call_in_flight_when_the_only_silo_dies_is_unavailable_at_once_to_a_client_without_patience()
    {
        await using var silo = await SiloProcess.StartAsync();
        await using var client = await HeadClusterClient.ConnectAsync(
            options =>
            {
                options.Gateways.Add(silo.Gateway);
                options.RetryTimeout = TimeSpan.Zero;
            },
            Cancelled);
        await client.StatusAsync(Cancelled);

        // A stopped process keeps its connections and answers nothing.
        await Programs.SignalAsync(silo.Process, "STOP");
        var call = client.AttendAsync(Inputs.Model, 0, Inputs.Matrix(rows: 3), Cancelled);
        var generation = client.GenerateAsync(Inputs.Model, new[] { 0 }, 3, Cancelled).ToListAsync(Cancelled).AsTask();
        silo.Process.Kill();

        await AssertUnavailableAsync(call);
        await AssertUnavailableAsync(generation);
    }

    [Fact]
    public async Task A_generation_of_which_only_the_end_was_lost_is_not_asked_for_again()
    {
        var model = DispatchProxy.Create<ITransformerGrain, LosesTheEnd>();
        var grains = DispatchProxy.Create<IGrainFactory, OneGrain>();
        ((OneGrain)(object)grains).Grain = model;
        await using var client = new HeadClusterClient(grains);

        var tokens = await client.GenerateAsync(Inputs.Model, new[] { 1, 2 }, steps: 3, Cancelled).ToListAsync(Cancelled);

        Assert.Equal([2, 3, 4], tokens.Select(token => token.Position));
        Assert.Equal(1, ((LosesTheEnd)(object)model).Calls);
    }

    [Fact]
    public async Task Client_of_another_cluster_is_turned_away()
    {
        await using var silo = await SiloProcess.StartAsync(primary: null, "--cluster-id", "theirs");

        await AssertUnavailableAsync(HeadClusterClient.ConnectAsync(
            options =>
            {
                options.Gateways.Add(silo.Gateway);
                options.ClusterId = "ours";
                options.ConnectTimeout = TimeSpan.FromSeconds(1);
            },
            Cancelled));
    }

    [Fact]
    public async Task Silo_that_is_slow_to_greet_a_client_is_waited_for()
    {
        await using var silo = await SiloProcess.StartAsync();
        var connectTimeout = TimeSpan.FromSeconds(2);

        // The system takes connections for a process that has stopped.
        await Programs.SignalAsync(silo.Process, "STOP");
        var connecting = HeadClusterClient.ConnectAsync(
            options =>
            {
                options.Gateways.Add(silo.Gateway);
                options.ConnectTimeout = connectTimeout;
            },
            Cancelled);
        await Assert.ThrowsAsync<TimeoutException>(() => connecting.WaitAsync(connectTimeout * 1.25, Cancelled));
        await Programs.SignalAsync(silo.Process, "CONT");

        await using var client = await connecting;
        Assert.Single((await client.StatusAsync(Cancelled)).Silos);
    }

    [Fact]
    public async Task Cancelled_call_ends_with_the_callers_token()
    {
        await using var silo = await SiloProcess.StartAsync();
        await using var client = await HeadClusterClient.ConnectAsync(silo.Gateway, Cancelled);
        using var source = new CancellationTokenSource();

        await Programs.SignalAsync(silo.Process, "STOP");
        var call = client.LogitsAsync(Inputs.Model, new[] { 0, 1 }, source.Token);
        await source.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(source.Token, error.CancellationToken);
    }

    [Fact]
    public async Task Client_of_a_host_is_connected_when_the_host_has_started()
    {
        await using var silo = await SiloProcess.StartAsync();
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Services.AddHeadClusterClient(options => options.Gateways.Add(silo.Gateway)).AddHeadClusterClient();
        using var host = builder.Build();
        await host.StartAsync(Cancelled);

        var status = await host.Services.GetRequiredService<HeadClusterClient>().StatusAsync(Cancelled);

        Assert.Single(status.Silos);
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task Options_that_are_wrong_fail_the_start_of_a_host()
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Services.AddHeadClusterClient(options => options.ConnectTimeout = TimeSpan.Zero);
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancelled));

        Assert.Contains("ConnectTimeout", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00:00:00", "00:01:00", "TimeLimit is 00:00:00; expected more than 00:00:00 and at most ")]
    [InlineData("400.00:00:00", "00:01:00", "TimeLimit is 400.00:00:00; expected more than 00:00:00 and at most ")]
    [InlineData("00:01:00", "-00:00:01", "RetryTimeout is -00:00:01; expected 00:00:00 to 01:00:00")]
    [InlineData("00:01:00", "01:00:01", "RetryTimeout is 01:00:01; expected 00:00:00 to 01:00:00")]
    [InlineData("00:00:00.0000001", "00:00:00", null)]
    [InlineData("00:01:00", "01:00:00", null)]
    public void Times_out_of_their_range_are_refused_and_those_at_its_ends_are_not(string timeLimit, string retryTimeout, string? because)
    {
        var options = new HeadClusterClientOptions
        {
            TimeLimit = TimeSpan.Parse(timeLimit, CultureInfo.InvariantCulture),
            RetryTimeout = TimeSpan.Parse(retryTimeout, CultureInfo.InvariantCulture),
        };

        var result = new HeadClusterClientOptionsValidator().Validate(name: null, options);

        Assert.Equal(because is not null, result.Failed);
        Assert.StartsWith(because ?? "", result.FailureMessage ?? "", StringComparison.Ordinal);
    }

    private static async Task AssertUnavailableAsync(Task call)
    {
        var error = await Assert.ThrowsAsync<HeadClusterException>(() => call.WaitAsync(Programs.Patience, Cancelled));
        Assert.Equal(HeadClusterErrorKind.Unavailable, error.Kind);
        Assert.True(error.IsTransient);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>A cluster of one grain.</summary>
    public class OneGrain : DispatchProxy
    {
        public object? Grain { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Grain;
    }

    /// <summary>A model whose silo is lost when it has given all tokens.</summary>
    public class LosesTheEnd : DispatchProxy
    {
        public int Calls { get; private set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Calls++;
            return GenerateAsync((GenerationRequest)args![0]!);
        }

        private static async IAsyncEnumerable<GeneratedToken> GenerateAsync(GenerationRequest request)
        {
            for (var step = 0; step < request.Steps; step++)
            {
                yield return new GeneratedToken(request.Tokens.Length + step, Token: 0, Probability: 1);
                await Task.Yield();
            }

            throw new EnumerationAbortedException("its silo is lost");
        }
    }
}
