using Microsoft.Playwright;

namespace HeadCluster.System.Tests.Page;

/// <summary>A Chromium of this machine. Its pictures are kept beside the tests, in <c>screenshots</c>.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly List<string> _errors = [];

    private Browser(IPlaywright playwright, IBrowser browser, IPage page)
    {
        _playwright = playwright;
        _browser = browser;
        Page = page;
        page.PageError += (_, error) => Add(error);
        page.Console += (_, message) => Add(message.Type == "error" ? message.Text : null);
    }

    public IPage Page { get; }

    /// <summary>Errors of the page's code, and answers that were errors.</summary>
    public IReadOnlyList<string> Errors
    {
        get
        {
            lock (_errors)
            {
                return [.. _errors];
            }
        }
    }

    /// <summary>Starts Chromium; a test on a machine without it is skipped, and says so.</summary>
    public static async Task<Browser> StartAsync()
    {
        var chromium = Tool.Require("chromium");
        var playwright = await Playwright.CreateAsync();

        // Its sandbox needs rights that containers have not; it opens nothing but a page of these tests.
        var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-gpu"] });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1360, Height = 900 }, ColorScheme = ColorScheme.Light });
        page.SetDefaultTimeout((float)Programs.Patience.TotalMilliseconds);
        Assertions.SetDefaultExpectTimeout((float)Programs.Patience.TotalMilliseconds);
        return new Browser(playwright, browser, page);
    }

    /// <summary>Keeps pictures of the page as it is, in light and in dark.</summary>
    public async Task TakePicturesAsync(string name)
    {
        foreach (var scheme in (ColorScheme[])[ColorScheme.Dark, ColorScheme.Light])
        {
            await Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            var path = Path.Combine(AppContext.BaseDirectory, "screenshots", $"{name}-{scheme.ToString().ToLowerInvariant()}.png");
            await Page.ScreenshotAsync(new() { Path = path, FullPage = true, Animations = ScreenshotAnimations.Disabled });
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private void Add(string? error)
    {
        if (error is not null)
        {
            lock (_errors)
            {
                _errors.Add(error);
            }
        }
    }
}
