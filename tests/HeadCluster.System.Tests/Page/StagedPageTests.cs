using System.Web;
using static Microsoft.Playwright.Assertions;

namespace HeadCluster.System.Tests.Page;

/// <summary>What the page makes of answers that come late, out of order or not at all, and of silos that come and go.</summary>
public sealed class StagedPageTests
{
    private const string Capture = "d82dca8b-0000-0000-0000-000000000000";

    private static readonly Task<string> Never = new TaskCompletionSource<string>().Task;

    [Fact]
    public async Task A_silo_that_answers_no_more_is_not_shown_as_live()
    {
        await using var browser = await Browser.StartAsync();
        var (hangs, asked) = (false, new TaskCompletionSource());
        await StagedPage.RunClockAsync(browser.Page);
        await StagedPage.OpenAsync(browser.Page, _ =>
        {
            if (!hangs)
            {
                return Task.FromResult(StagedPage.Cluster(["first"]));
            }

            asked.TrySetResult();
            return Never;
        });
        await Expect(browser.Page.Locator("#state")).ToHaveTextAsync("live: 0 active heads on 1 silo");

        hangs = true;
        await asked.Task.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken);
        await browser.Page.Clock.FastForwardAsync(20_000);
        await Expect(browser.Page.Locator("#state.away")).ToHaveTextAsync("no answer: none within 20 s");

        hangs = false;
        await Expect(browser.Page.Locator("#state:not(.away)")).ToHaveTextAsync("live: 0 active heads on 1 silo");
    }

    [Fact]
    public async Task Each_silo_that_is_here_has_a_colour_of_its_own_and_of_those_that_went_the_last_are_kept()
    {
        await using var browser = await Browser.StartAsync();
        string[] silos = ["silo-0", "silo-1"];
        await StagedPage.OpenAsync(browser.Page, asked => Task.FromResult(StagedPage.Cluster(silos)));
        await Expect(browser.Page.Locator("tr[data-silo=silo-1]")).ToHaveCountAsync(1);

        // One silo stays while others take each other's place, more than are kept.
        for (var next = 2; next < 26; next += 4)
        {
            silos = ["silo-0", .. Enumerable.Range(next, 4).Select(name => $"silo-{name}")];
            await Expect(browser.Page.Locator($"tr:not(.gone)[data-silo=silo-{next + 3}]")).ToHaveCountAsync(1);
            Assert.Equal(5, await ColoursAsync());
        }

        await Expect(browser.Page.Locator("tr.gone")).ToHaveCountAsync(20);
        await Expect(browser.Page.Locator("tr[data-silo=silo-1]")).ToHaveCountAsync(0);

        async Task<int> ColoursAsync() => (await browser.Page.Locator("#silo-rows tr:not(.gone) .chip")
            .EvaluateAllAsync<string[]>("chips => chips.map(chip => chip.style.getPropertyValue('--chip'))")).Distinct().Count();
    }

    [Fact]
    public async Task A_pattern_that_comes_late_is_not_taken_for_the_one_that_was_chosen_since()
    {
        await using var browser = await Browser.StartAsync();
        var page = browser.Page;
        var (late, polls) = (new TaskCompletionSource(), true);
        await StagedPage.OpenAsync(page, async asked =>
        {
            var query = HttpUtility.ParseQueryString(asked.Query);
            switch (asked.AbsolutePath)
            {
                case "/api/cluster":
                    return polls ? StagedPage.Cluster(["first"], 2, "model") : await Never;
                case "/api/capture":
                    return $$"""
                        {"id":"{{Capture}}","model":"model","time":"2026-01-01T00:00:00Z","sequences":[[1,2],[3,4,5]],
                         "heads":[{"layer":0,"head":0,"scores":[{"previousToken":0.25}]},{"layer":0,"head":1,"scores":null}]}
                        """;
                default:
                    if (query["head"] == "1" || query["sequence"] == "1")
                    {
                        await late.Task;
                    }

                    return Pattern(query["head"]!, query["sequence"]!);
            }
        });

        await page.Locator(".cell[data-head='0']").ClickAsync();
        await Expect(page.Locator("#attention .token")).ToHaveCountAsync(2 * 2);
        await page.Locator("#colour input[value=pattern]").CheckAsync();
        await Expect(page.Locator("#head-value")).ToHaveTextAsync("previous token 25.0 %");

        // No look in between puts right what comes in the wrong order.
        polls = false;
        await page.Locator("#sequence").SelectOptionAsync("1");
        await Expect(page.Locator("#attention .token")).ToHaveCountAsync(0);
        await page.Locator("#sequence").SelectOptionAsync("0");
        await Expect(page.Locator("#attention .token")).ToHaveCountAsync(2 * 2);
        await page.Locator(".cell[data-head='1']").ClickAsync();
        await Expect(page.Locator("#attention-part")).ToBeHiddenAsync();
        await page.Locator(".cell[data-head='0']").ClickAsync();
        await Expect(page.Locator("#attention-part")).ToBeVisibleAsync();

        late.SetResult();
        await page.EvaluateAsync("async () => { await (await fetch('api/pattern?head=1&sequence=1')).json(); await new Promise(requestAnimationFrame); }");
        await Expect(page.Locator("#attention .token")).ToHaveCountAsync(2 * 2);
        await Expect(page.Locator("#capture-time")).ToContainTextAsync("2 tokens");
        Assert.Empty(browser.Errors);

        static string Pattern(string head, string sequence) => sequence == "0"
            ? $$"""{"capture":"{{Capture}}","layer":0,"head":{{head}},"sequence":0,"tokens":[1,2],"shares":[[[1,0],[0.5,0.5]]],"keys":null}"""
            : $$"""{"capture":"{{Capture}}","layer":0,"head":{{head}},"sequence":1,"tokens":[3,4,5],"shares":[[[1,0,0],[0.5,0.5,0],[0.2,0.2,0.6]]],"keys":null}""";
    }

    [Fact]
    public async Task Another_model_is_shown_as_soon_as_it_is_chosen()
    {
        await using var browser = await Browser.StartAsync();
        var hangs = false;
        await StagedPage.OpenAsync(browser.Page, asked => hangs ? Never : Task.FromResult(
            asked.AbsolutePath == "/api/cluster" ? StagedPage.Cluster(["first"], 2, "one", "other") : "null"));
        await browser.Page.Locator(".cell[data-head='1']").ClickAsync();

        hangs = true;
        await browser.Page.Locator("#model").SelectOptionAsync("other");
        await Expect(browser.Page.Locator(".cell[aria-selected=true]")).ToHaveCountAsync(0);
        await Expect(browser.Page.Locator("#head-hint")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_is_said_of_the_cluster_is_not_said_again_while_it_stays_the_same()
    {
        await using var browser = await Browser.StartAsync();
        var (looks, joins) = (0, int.MaxValue);
        await StagedPage.OpenAsync(browser.Page, _ => Task.FromResult(
            StagedPage.Cluster(Interlocked.Increment(ref looks) < Volatile.Read(ref joins) ? ["first"] : ["first", "second"])));
        await Expect(browser.Page.Locator("#state")).ToContainTextAsync("live");
        await browser.Page.EvaluateAsync("""
            () => {
              let all = 0;
              const observer = new MutationObserver(changes => document.title = `changes: ${all += changes.length}`);
              observer.observe(document.getElementById("state"), { childList: true });
            }
            """);

        // After some more looks that say the same.
        Volatile.Write(ref joins, Volatile.Read(ref looks) + 4);
        await Expect(browser.Page.Locator("#state")).ToContainTextAsync("2 silos");
        await Expect(browser.Page).ToHaveTitleAsync("changes: 1");
    }
}
