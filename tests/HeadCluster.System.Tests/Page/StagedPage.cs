using HeadCluster.Tests;
using Microsoft.Playwright;

namespace HeadCluster.System.Tests.Page;

/// <summary>The page's own files in a browser, with answers that a test gives in place of a silo.</summary>
internal static class StagedPage
{
    /// <summary>Opens the page.</summary>
    /// <param name="page">The browser's.</param>
    /// <param name="answer">The JSON of an address of the API, such as <c>/api/cluster</c>, or its failure.</param>
    public static async Task OpenAsync(IPage page, Func<Uri, Task<string>> answer)
    {
        await page.RouteAsync("**/*", async route =>
        {
            var asked = new Uri(route.Request.Url);
            if (asked.AbsolutePath.StartsWith("/api/", StringComparison.Ordinal))
            {
                await route.FulfillAsync(new() { ContentType = "application/json", Body = await answer(asked) });
                return;
            }

            var file = asked.AbsolutePath == "/" ? "index.html" : asked.AbsolutePath[1..];
            await route.FulfillAsync(new() { Path = Repository.Find("src", "HeadCluster.Silo", "Page", "Assets", file) });
        });
        await page.GotoAsync("http://page.example/");
    }

    /// <summary>Gives a page that is opened later a clock that runs, and that its test can put forward.</summary>
    public static async Task RunClockAsync(IPage page)
    {
        // Of the ways in which a page waits, this is the only one that is not by the clock that tests put forward.
        await page.AddInitScriptAsync("""
            AbortSignal.timeout = milliseconds => {
              const timeout = new AbortController();
              setTimeout(() => timeout.abort(new DOMException("no answer in time", "TimeoutError")), milliseconds);
              return timeout.signal;
            };
            """);
        await page.Clock.InstallAsync();
    }

    /// <summary>The answer of <c>/api/cluster</c>: silos, and a model of one layer whose heads are on the first.</summary>
    public static string Cluster(IEnumerable<string> silos, int heads = 0, params IEnumerable<string> models)
    {
        var names = silos.ToList();
        var active = models.SelectMany(model => Enumerable.Range(0, heads).Select(head =>
            $$"""{"model":"{{model}}","layer":0,"head":{{head}},"silo":"{{names[0]}}","weightBytes":1,"requests":1,"queueMicroseconds":1,"projectMicroseconds":2,"attendMicroseconds":3}"""));
        return $$"""
            {"time":"{{TimeProvider.System.GetUtcNow():O}}","dashboard":false,"brokenModels":[],
             "silos":[{{string.Join(',', names.Select(name => $$"""{"name":"{{name}}","address":"10.0.0.1:11111","status":"Active"}"""))}}],
             "models":[{{string.Join(',', models.Select(model => $$"""{"name":"{{model}}","layers":1,"heads":{{heads}},"kvHeads":{{heads}}}"""))}}],
             "heads":[{{string.Join(',', active)}}]}
            """;
    }
}
