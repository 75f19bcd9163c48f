using Microsoft.Extensions.DependencyInjection;

namespace HeadCluster.Silo;

/// <summary>Which silos a silo knows so well that it places grains on them.</summary>
internal static class SiloManifests
{
    /// <summary>Waits until a silo knows so many, itself included.</summary>
    public static async Task<IReadOnlyList<SiloAddress>> WaitForAsync(IServiceProvider silo, int count, CancellationToken cancellationToken)
    {
        var manifests = silo.GetRequiredService<IClusterManifestProvider>();
        if (manifests.Current.Silos.Count < count)
        {
            await foreach (var manifest in manifests.Updates.WithCancellation(cancellationToken))
            {
                if (manifest.Silos.Count >= count)
                {
                    return [.. manifest.Silos.Keys];
                }
            }
        }

        return [.. manifests.Current.Silos.Keys];
    }
}
