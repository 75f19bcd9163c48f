using HeadCluster.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace HeadCluster.System.Tests.Clustering;

public sealed class ClusteringSettingsTests
{
    [Theory]
    [InlineData("Clustering", "Gossip", "HeadCluster:Silo:Clustering is 'Gossip'; expected Localhost, Redis or AdoNet")]
    [InlineData("Clustering", "Redis", "HeadCluster:Silo:ConnectionString is empty")]
    [InlineData("HealthPort", "70000", "HeadCluster:Silo:HealthPort is 70000; expected 1 to 65535")]
    [InlineData("HealthPort", "11111", "SiloPort and HealthPort are both 11111")]
    [InlineData("AdvertisedAddress", "no such host", "AdvertisedAddress 'no such host' is not an address")]
    [InlineData("Kubernetes", "perhaps", "HeadCluster:Silo:Kubernetes is 'perhaps'; expected true or false")]
    [InlineData("Kubernetes", "true", "set HeadCluster:Silo:Clustering to Redis or AdoNet")]
    [InlineData("ShutdownTimeout", "60", "HeadCluster:Silo:ShutdownTimeout is '60'; expected hours, minutes and seconds")]
    [InlineData("ShutdownTimeout", "00:00:00", "HeadCluster:Silo:ShutdownTimeout is 00:00:00; expected 00:00:01 to 01:00:00")]
    [InlineData("FailureDetection__ProbeTimeout", "1", "HeadCluster:Silo:FailureDetection:ProbeTimeout is '1'; expected hours")]
    [InlineData("FailureDetection__ProbeTimeout", "00:00:05", "HeadCluster:Silo:FailureDetection:MaxProbeTimeout is 00:00:04; expected 00:00:05 to")]
    [InlineData("FailureDetection__MissedProbes", "0", "HeadCluster:Silo:FailureDetection:MissedProbes is 0; expected 1 to 100")]
    public async Task Silo_with_a_wrong_setting_is_refused(string setting, string value, string because)
    {
        var result = await CommandResult.RunProgramAsync(Programs.Silo, new() { [$"HeadCluster__Silo__{setting}"] = value });

        result.AssertRefused(because);
    }

    [Theory]
    [InlineData("AdoNet", "nonsense", "HeadCluster:Silo:ConnectionString cannot be read")]
    [InlineData("AdoNet", "Database=d;Username=u", "HeadCluster:Silo:ConnectionString names no host")]
    [InlineData("Redis", "localhost:6379,pasword=x", "HeadCluster:Silo:ConnectionString cannot be read")]
    [InlineData("Redis", "password=secret", "HeadCluster:Silo:ConnectionString names no host")]
    public async Task Silo_whose_connection_string_cannot_be_read_is_refused(string clustering, string connectionString, string because)
    {
        var result = await CommandResult.RunProgramAsync(
            Programs.Silo, [], [.. Ports(), "--clustering", clustering, "--connection-string", connectionString]);

        result.AssertRefused(because);
    }

    [Fact]
    public async Task Silo_whose_Redis_does_not_answer_gives_up()
    {
        var port = SiloProcess.FreePorts(1)[0];

        var result = await CommandResult.RunProgramAsync(
            Programs.Silo,
            [],
            [.. Ports(), "--clustering", "Redis", "--connection-string", $"127.0.0.1:{port},password=secret", "--advertised-address", "127.0.0.1"]);

        result.AssertRefused("Redis does not answer as HeadCluster:Silo:ConnectionString says");
        Assert.DoesNotContain("secret", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Lost_silos_are_found_as_all_six_settings_say()
    {
        const string Section = "HeadCluster:Silo:FailureDetection";
        using var host = SiloHost.CreateBuilder(new Dictionary<string, string?>
        {
            [$"{Section}:ProbeTimeout"] = "00:00:02",
            [$"{Section}:MaxProbeTimeout"] = "00:00:07",
            [$"{Section}:MissedProbes"] = "5",
            [$"{Section}:Votes"] = "3",
            [$"{Section}:TableRefreshPeriod"] = "00:00:11",
            [$"{Section}:AlivePeriod"] = "00:00:13",
        }).Build();

        var orleans = host.Services.GetRequiredService<IOptions<ClusterMembershipOptions>>().Value;

        Assert.Equal((TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(7)), (orleans.ProbeTimeout, orleans.MaxProbeTimeout));
        Assert.Equal((5, 3), (orleans.NumMissedProbesLimit, orleans.NumVotesForDeathDeclaration));
        Assert.Equal((TimeSpan.FromSeconds(11), TimeSpan.FromSeconds(13)), (orleans.TableRefreshTimeout, orleans.IAmAliveTablePublishTimeout));
    }

    private static string[] Ports()
    {
        var ports = SiloProcess.FreePorts(2);
        return ["--silo-port", $"{ports[0]}", "--gateway-port", $"{ports[1]}"];
    }
}
