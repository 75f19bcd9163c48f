using Microsoft.Extensions.Options;
using Npgsql;
using StackExchange.Redis;

namespace HeadCluster.Client;

/// <summary>Says at the start what to change in the options.</summary>
internal sealed class HeadClusterClientOptionsValidator : IValidateOptions<HeadClusterClientOptions>
{
    private static readonly TimeSpan ShortestTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, HeadClusterClientOptions options) => Complaint(options) is { } complaint
        ? ValidateOptionsResult.Fail(complaint)
        : ValidateOptionsResult.Success;

    private static string? Complaint(HeadClusterClientOptions options)
    {
        if (options.Gateways.FirstOrDefault(gateway => !GatewayAddress.TryParse(gateway, out _)) is { } malformed)
        {
            return $"'{malformed}' is not the address of a gateway; expected host:port, such as {HeadClusterClientOptions.DefaultGateway}";
        }

        if (string.IsNullOrWhiteSpace(options.ClusterId) || string.IsNullOrWhiteSpace(options.ServiceId))
        {
            return "ClusterId and ServiceId must not be empty";
        }

        if (options.RetryTimeout < TimeSpan.Zero || options.RetryTimeout > LongestRetry)
        {
            return $"RetryTimeout is {options.RetryTimeout}; expected {TimeSpan.Zero} to {LongestRetry}";
        }

        if (options.TimeLimit <= TimeSpan.Zero || options.TimeLimit > TimeLimits.Longest)
        {
            return $"TimeLimit is {options.TimeLimit}; expected more than {TimeSpan.Zero} and at most {TimeLimits.Longest}";
        }

        if (ConnectionComplaint(options) is { } complaint)
        {
            return complaint;
        }

        return options.ConnectTimeout < ShortestTimeout || options.ConnectTimeout > LongestTimeout
            ? $"ConnectTimeout is {options.ConnectTimeout}; expected {ShortestTimeout} to {LongestTimeout}"
            : null;
    }

    private static string? ConnectionComplaint(HeadClusterClientOptions options)
    {
        if (options.Discovery == GatewayDiscovery.Static)
        {
            return null;
        }

        if (string.IsNullOrWhiteSpace(options.ConnectionString))
        {
            return $"ConnectionString is empty; with {options.Discovery} it says where the list of silos is";
        }

        try
        {
            var hasHost = options.Discovery == GatewayDiscovery.Redis
                ? ConfigurationOptions.Parse(options.ConnectionString).EndPoints.Count > 0
                : !string.IsNullOrWhiteSpace(new NpgsqlConnectionStringBuilder(options.ConnectionString).Host);
            return hasHost ? null : $"ConnectionString names no host; with {options.Discovery} it says where the list of silos is";
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            return $"ConnectionString cannot be read ({exception.Message})";
        }
    }
}
