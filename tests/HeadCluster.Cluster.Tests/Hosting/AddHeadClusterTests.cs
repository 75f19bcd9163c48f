using HeadCluster.Hosting;
using HeadCluster.Kernels;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace HeadCluster.Tests.Hosting;

/// <summary>What a user's own silo gets from one call.</summary>
public sealed class AddHeadClusterTests
{
    [Fact]
    public void Models_come_from_the_configuration_and_then_from_code()
    {
        using var host = Build(
            new() { ["HeadCluster:Models:one:Path"] = "here", ["HeadCluster:Models:two:Path"] = "there", ["HeadCluster:ComputeThreads"] = "3" },
            options => options.Models["two"].Path = "elsewhere");

        var options = host.Services.GetRequiredService<IOptions<HeadClusterOptions>>().Value;
        Assert.Equal(["one here", "two elsewhere"], options.Models.Select(model => $"{model.Key} {model.Value.Path}"));
        Assert.Equal(3, host.Services.GetRequiredService<ComputePool>().ThreadCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Compute_threads_are_pinned_if_the_configuration_says_so(bool pinned)
    {
        using var host = Build(new() { ["HeadCluster:PinComputeThreads"] = pinned.ToString() });
        Assert.Equal(pinned, host.Services.GetRequiredService<ComputePool>().IsPinned);
    }

    [Fact]
    public void Adding_it_twice_only_configures_further()
    {
        using var host = Build([], options => options.Models["a"] = new() { Path = "x" }, options => options.Models["b"] = new() { Path = "y" });

        Assert.Equal(["a", "b"], host.Services.GetRequiredService<IOptions<HeadClusterOptions>>().Value.Models.Keys);
        Assert.Single(host.Services.GetServices<ComputePool>());
        Assert.Equal(
            host.Services.GetServices<IIncomingGrainCallFilter>().Select(filter => filter.GetType()).Distinct().Count(),
            host.Services.GetServices<IIncomingGrainCallFilter>().Count());
    }

    [Fact]
    public void Requests_that_time_out_are_cancelled_and_messages_may_be_large()
    {
        using var host = Build([]);
        var messaging = host.Services.GetRequiredService<IOptions<SiloMessagingOptions>>().Value;
        Assert.True(messaging.CancelRequestOnTimeout);
        Assert.Equal(WireLimits.MaxMessageBodyBytes, messaging.MaxMessageBodySize);
    }

    [Theory]
    [InlineData("HeadCluster:Models:nano:Path", "", "HeadCluster:Models:nano:Path")]
    [InlineData("HeadCluster:Models:a/b:Path", "somewhere", "'a/b'")]
    [InlineData("HeadCluster:MemoryLimitBytes", "0", "HeadCluster:MemoryLimitBytes")]
    [InlineData("HeadCluster:SequenceMemoryBytes", "-1", "HeadCluster:SequenceMemoryBytes is -1; set it to 0 or more")]
    [InlineData("HeadCluster:ComputeThreads", "0", "HeadCluster:ComputeThreads")]
    [InlineData("HeadCluster:ComputeThreads", "1025", "HeadCluster:ComputeThreads")]
    [InlineData("HeadCluster:WirePrecision", "2", "HeadCluster:WirePrecision")]
    [InlineData("HeadCluster:MaxInFlightBytesPerSilo", "1048575", "HeadCluster:MaxInFlightBytesPerSilo is 1048575; set it to 1048576 or more")]
    [InlineData("HeadCluster:MaxWaitingBytesPerSilo", "-1", "HeadCluster:MaxWaitingBytesPerSilo is -1; set it to 0 or more")]
    [InlineData("HeadCluster:RecoveryTimeout", "00:00:00.9", "HeadCluster:RecoveryTimeout is 00:00:00.9000000; set it to 00:00:01 to 01:00:00")]
    [InlineData("HeadCluster:RecoveryTimeout", "01:00:01", "HeadCluster:RecoveryTimeout is 01:00:01; set it to")]
    [InlineData("HeadCluster:Scheduling:Period", "00:00:00.09", "HeadCluster:Scheduling:Period is 00:00:00.0900000; set it to 00:00:00.1000000 to 01:00:00")]
    [InlineData("HeadCluster:Scheduling:Period", "01:00:01", "HeadCluster:Scheduling:Period is 01:00:01; set it to")]
    public async Task A_wrong_option_fails_the_start_and_says_what_to_change(string key, string value, string named)
    {
        using var host = Build(new() { [key] = value });
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(error.Failures, failure => failure.Contains(named, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("HeadCluster:MaxInFlightBytesPerSilo", "1048576")]
    [InlineData("HeadCluster:SequenceMemoryBytes", "0")]
    [InlineData("HeadCluster:MaxWaitingBytesPerSilo", "0")]
    [InlineData("HeadCluster:RecoveryTimeout", "00:00:01")]
    [InlineData("HeadCluster:RecoveryTimeout", "01:00:00")]
    [InlineData("HeadCluster:Scheduling:Period", "00:00:00.1")]
    [InlineData("HeadCluster:Scheduling:Period", "01:00:00")]
    public void Options_at_the_ends_of_their_ranges_are_taken(string key, string value)
    {
        using var host = Build(new() { [key] = value });
        Assert.NotNull(host.Services.GetRequiredService<IOptions<HeadClusterOptions>>().Value);
    }

    [Theory]
    [InlineData("there is no strategy 'Fastest'; this cluster knows Capacity, Even, Measured, Pinned", "HeadCluster:Scheduling:Strategy", "Fastest")]
    [InlineData("strategy Pinned needs a file; set HeadCluster:Scheduling:PinnedFile", "HeadCluster:Scheduling:Strategy", "pinned")]
    [InlineData("nowhere.json cannot be read", "HeadCluster:Scheduling:Strategy", "Pinned", "HeadCluster:Scheduling:PinnedFile", "nowhere.json")]
    public async Task A_strategy_that_makes_no_plans_fails_the_start_and_says_why(string because, params string[] settings)
    {
        using var host = Build(settings.Chunk(2).ToDictionary(pair => pair[0], string? (pair) => pair[1]));
        var error = await Assert.ThrowsAsync<HeadClusterException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(because, error.Message, StringComparison.Ordinal);
    }

    private static IHost Build(Dictionary<string, string?> configuration, params Action<HeadClusterOptions>?[] configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(configuration);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering();
            foreach (var step in configure.DefaultIfEmpty())
            {
                silo.AddHeadCluster(step);
            }
        });
        return builder.Build();
    }
}
