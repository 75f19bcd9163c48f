using Microsoft.Extensions.Hosting;

namespace HeadCluster.Silo;

/// <summary>The command hears Ctrl-C and stops its silos; they do not each listen for it.</summary>
internal sealed class CommandLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
