using Microsoft.Extensions.Options;

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

        return options.ConnectTimeout < ShortestTimeout || options.ConnectTimeout > LongestTimeout
            ? $"ConnectTimeout is {options.ConnectTimeout}; expected {ShortestTimeout} to {LongestTimeout}"
            : null;
    }
}
