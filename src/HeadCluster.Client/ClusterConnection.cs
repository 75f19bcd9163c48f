using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.Client;

/// <summary>An Orleans client of its own, for programs that have no host of theirs.</summary>
internal sealed class ClusterConnection : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly IHostedService[] _started;
    private int _disposed;

    private ClusterConnection(ServiceProvider services, IHostedService[] started)
    {
        _services = services;
        _started = started;
    }

    public IGrainFactory Client => _services.GetRequiredService<IClusterClient>();

    public GrainCalls Calls => _services.GetRequiredService<GrainCalls>();

    public static async Task<ClusterConnection> OpenAsync(
        Action<HeadClusterClientOptions> configure,
        CancellationToken cancellationToken)
    {
        var services = new ServiceCollection().AddHeadClusterClient(configure).BuildServiceProvider();
        try
        {
            var options = services.GetRequiredService<IOptions<HeadClusterClientOptions>>().Value;
            using var timeout = new CancellationTokenSource(options.AttemptTimeout, services.GetRequiredService<TimeProvider>());
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            try
            {
                var hosted = services.GetServices<IHostedService>().ToArray();
                foreach (var service in hosted)
                {
                    await service.StartAsync(end.Token).WaitAsync(end.Token);
                }

                end.Token.ThrowIfCancellationRequested();
                return new ClusterConnection(services, hosted);
            }
            catch (Exception exception) when (timeout.IsCancellationRequested && exception is not HeadClusterException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var retries = services.GetRequiredService<IClientConnectionRetryFilter>() as ConnectTimeoutFilter;
                throw Failure.Unreachable(options, options.AttemptTimeout, exception is OperationCanceledException ? retries?.First : exception);
            }
        }
        catch (OptionsValidationException exception)
        {
            await services.DisposeAsync();
            throw new HeadClusterException(HeadClusterErrorKind.InvalidInput, string.Join("; ", exception.Failures), exception);
        }
        catch
        {
            await services.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        foreach (var service in _started)
        {
            await service.StopAsync(CancellationToken.None);
        }

        await _services.DisposeAsync();
    }
}
