using HeadCluster.Client;
using Npgsql;

namespace HeadCluster.Cli.Clusters;

/// <summary>
/// Where a cluster is, as <c>--cluster</c> takes it: the gateway of a silo (<c>host:port</c>), or what keeps the list of silos
/// (<c>redis://[user:password@]host[:port]</c>, <c>postgresql://user[:password]@host[:port]/database</c>).
/// </summary>
internal static class ClusterAddress
{
    /// <summary>The form, for help.</summary>
    public const string Form = "host:port|redis://host:port|postgresql://…";

    private const int RedisPort = 6379;
    private const int PostgreSqlPort = 5432;

    /// <summary>Makes a client look there.</summary>
    public static void Apply(string address, HeadClusterClientOptions options)
    {
        // What is no URI of one of these schemes is a gateway, and if it is none, the client says so.
        var uri = address.Contains("://", StringComparison.Ordinal) ? Parse(address) : null;
        if (uri is null)
        {
            options.Gateways.Add(address);
            return;
        }

        (options.Discovery, options.ConnectionString) = uri.Scheme == "redis"
            ? (GatewayDiscovery.Redis, Redis(uri))
            : (GatewayDiscovery.AdoNet, PostgreSql(uri));
    }

    private static Uri Parse(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "redis" or "postgres" or "postgresql" && uri.Host.Length > 0
            ? IsAllUsed(uri)
                ? uri
                // Such as ?sslmode=require: nothing that was asked for is left out.
                : throw HeadClusterException.InvalidInput($"'{Without(address)}' has more than --cluster takes; expected {Form}, and HeadClusterClientOptions.ConnectionString for the rest")
            : throw HeadClusterException.InvalidInput($"'{Without(address)}' is not the address of a cluster; expected {Form}");

    // A database of Redis by its number is none of Orleans'.
    private static bool IsAllUsed(Uri uri) =>
        uri.Query.Length == 0 && uri.Fragment.Length == 0 && (uri.Scheme != "redis" || uri.AbsolutePath is "" or "/");

    private static string Redis(Uri uri)
    {
        var (user, password) = Credentials(uri);
        if (user.Contains(',', StringComparison.Ordinal) || password.Contains(',', StringComparison.Ordinal))
        {
            throw HeadClusterException.InvalidInput("the user or the password of Redis has a comma, which ends a value there; expected one without");
        }

        return $"{uri.Host}:{(uri.Port > 0 ? uri.Port : RedisPort)}"
            + (user.Length == 0 ? "" : $",user={user}")
            + (password.Length == 0 ? "" : $",password={password}");
    }

    private static string PostgreSql(Uri uri)
    {
        var (user, password) = Credentials(uri);
        var builder = new NpgsqlConnectionStringBuilder { Host = uri.Host, Port = uri.Port > 0 ? uri.Port : PostgreSqlPort };
        (builder.Database, builder.Username, builder.Password) = (Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')), user, password);
        return builder.ConnectionString;
    }

    private static (string User, string Password) Credentials(Uri uri)
    {
        var parts = uri.UserInfo.Split(':', 2);
        return (Uri.UnescapeDataString(parts[0]), parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "");
    }

    // A message is no place for a password.
    private static string Without(string address) => address.LastIndexOf('@') is >= 0 and var at
        ? address[..(address.IndexOf("://", StringComparison.Ordinal) + 3)] + "…" + address[at..]
        : address;
}
