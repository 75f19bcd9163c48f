using Npgsql;
using StackExchange.Redis;

namespace HeadCluster.Silo;

/// <summary>Looks at what keeps the list of silos before a silo starts, and waits a while for one that is only starting.</summary>
internal static class SiloList
{
    // PostgreSQL's code for a table that is not there.
    private const string NoSuchTable = "42P01";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>What is wrong with a connection string; null if it can be used.</summary>
    public static string? Complaint(SiloClustering clustering, string connectionString)
    {
        try
        {
            var hasHost = clustering == SiloClustering.Redis
                ? ConfigurationOptions.Parse(connectionString).EndPoints.Count > 0
                : !string.IsNullOrWhiteSpace(new NpgsqlConnectionStringBuilder(connectionString).Host);
            return hasHost ? null : $"names no host; with {clustering} it says where the list of silos is";
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            return $"cannot be read ({exception.Message})";
        }
    }

    /// <exception cref="HeadClusterException">It did not answer in time, or cannot be used; the message has no password.</exception>
    public static async Task WaitAsync(SiloHostOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        Func<CancellationToken, Task> look = options.Clustering == SiloClustering.Redis
            ? Redis(options.ConnectionString)
            : PostgreSql(options.ConnectionString);
        for (var start = time.GetTimestamp(); ;)
        {
            try
            {
                await look(cancellationToken);
                return;
            }
            catch (Exception exception) when (exception is RedisException or NpgsqlException)
            {
                if (time.GetElapsedTime(start) >= Timeout)
                {
                    throw new HeadClusterException(
                        HeadClusterErrorKind.Unavailable,
                        $"{options.Clustering} does not answer as {SiloHostOptions.Section}:ConnectionString says ({exception.Message}); start it there or mend the setting",
                        exception);
                }

                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }

    private static Func<CancellationToken, Task> Redis(string connectionString)
    {
        var configuration = ConfigurationOptions.Parse(connectionString);
        return async cancellationToken =>
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(configuration).WaitAsync(cancellationToken);
            await connection.GetDatabase().PingAsync().WaitAsync(cancellationToken);
        };
    }

    private static Func<CancellationToken, Task> PostgreSql(string connectionString)
    {
        var configuration = new NpgsqlConnectionStringBuilder(connectionString);
        return async cancellationToken =>
        {
            await using var database = NpgsqlDataSource.Create(configuration);
            await using var command = database.CreateCommand("SELECT count(*) FROM OrleansQuery, OrleansMembershipTable");
            try
            {
                await command.ExecuteScalarAsync(cancellationToken);
            }
            catch (PostgresException exception) when (exception.SqlState == NoSuchTable)
            {
                throw HeadClusterException.InvalidInput(
                    $"database '{configuration.Database}' has not Orleans' tables ({exception.MessageText}); run deploy/postgresql/orleans.sql in it");
            }
        };
    }
}
