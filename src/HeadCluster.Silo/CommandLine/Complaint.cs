using System.Net.Sockets;
using HeadCluster.Models;
using Microsoft.Extensions.Options;

namespace HeadCluster.Silo.CommandLine;

/// <summary>What tells a user what to mend.</summary>
internal static class Complaint
{
    /// <summary>The text for an exception or one that caused it; null for one that is nobody's to mend, which is a defect.</summary>
    public static string? About(Exception exception)
    {
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (Text(cause) is { } text)
            {
                return text;
            }
        }

        return null;
    }

    private static string? Text(Exception exception) => exception switch
    {
        OptionsValidationException options => string.Join("; ", options.Failures),
        HeadClusterException or ModelException or OrleansConfigurationException => exception.Message,
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => "a port of the silo is in use by another program; choose another",
        IOException or UnauthorizedAccessException => exception.Message,
        _ => null,
    };
}
