namespace HeadCluster.System.Tests;

/// <summary>A cluster of two silo processes that print their spans, shared by the tests of a class.</summary>
public sealed class TwoSilos : IAsyncLifetime
{
    internal SiloProcess First { get; private set; } = null!;

    internal SiloProcess Second { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        First = await SiloProcess.StartAsync(primary: null, "--trace", "console", "--name", "first");
        Second = await SiloProcess.StartAsync(First, "--trace", "console", "--name", "second");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Second.DisposeAsync();
        await First.DisposeAsync();
    }
}
