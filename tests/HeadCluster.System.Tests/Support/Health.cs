using System.Net;

namespace HeadCluster.System.Tests;

/// <summary>What a silo answers to health probes.</summary>
internal static class Health
{
    private static readonly HttpClient Client = new() { Timeout = TimeSpan.FromSeconds(30) };

    public static Task<(HttpStatusCode Status, string Text)> LiveAsync(int port) => GetAsync(port, "live");

    public static Task<(HttpStatusCode Status, string Text)> ReadyAsync(int port) => GetAsync(port, "ready");

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(int port, string probe)
    {
        using var answer = await Client.GetAsync(new Uri($"http://127.0.0.1:{port}/health/{probe}"), TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
