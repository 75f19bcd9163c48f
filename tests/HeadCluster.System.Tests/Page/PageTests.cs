using System.Globalization;
using System.Net;
using System.Text.Json;
using HeadCluster.Client;
using static Microsoft.Playwright.Assertions;

namespace HeadCluster.System.Tests.Page;

/// <summary>The page in a real browser, and what it asks for.</summary>
public sealed class PageTests
{
    private static readonly int[] Tokens = [1, 2, 0, 1, 2, 0, 0, 0, 1, 1, 2];

    // Heads stay where they are, so that what moves does for a reason that the test knows.
    private static readonly Dictionary<string, string> Still = new() { ["HeadCluster__Scheduling__Automatic"] = "false" };

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Grid_fills_with_live_numbers_and_a_head_opens_with_its_latency_and_attention_map()
    {
        await using var browser = await Browser.StartAsync();
        await using var cluster = await StartAsync();
        var page = browser.Page;
        await page.GotoAsync(cluster.Url);

        await Expect(page.Locator("#state")).ToHaveTextAsync("live: 9 active heads on 2 silos");
        await Expect(page.Locator("#silo-rows tr")).ToHaveCountAsync(2);
        await Expect(page.Locator(".cell:not(.absent)")).ToHaveCountAsync(9);
        foreach (var value in await page.Locator(".cell").EvaluateAllAsync<string[]>("cells => cells.map(cell => cell.dataset.value)"))
        {
            Assert.True(double.Parse(value, CultureInfo.InvariantCulture) > 0, value);
        }

        // By keyboard alone: the grid is one stop of the tab key, arrows walk it, Enter opens.
        await page.Locator(".cell[data-layer='0'][data-head='0']").FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#head-title")).ToHaveTextAsync("Layer 1, head 2");
        await Expect(page.Locator("#latency li[data-part=project] b")).ToContainTextAsync("s");
        await Expect(page.Locator("#grid [tabindex='0']")).ToHaveCountAsync(1);

        // Every line of the map is an entry of the pattern that the API tells, and the heads themselves.
        await Expect(page.Locator("#attention .token")).ToHaveCountAsync(2 * Tokens.Length);
        var capture = await JsonAsync($"{cluster.Url}api/capture?model={Inputs.Model}");
        var id = capture.GetProperty("id").GetString();
        var pattern = await JsonAsync($"{cluster.Url}api/pattern?model={Inputs.Model}&capture={id}&layer=1&head=2&sequence=0");
        var shares = pattern.GetProperty("shares")[0];
        var expected = cluster.Captured.Layers[1][2].Patterns![0];
        var lines = await page.Locator("#attention line").EvaluateAllAsync<double[][]>(
            "lines => lines.map(line => [line.dataset.query, line.dataset.key, line.dataset.share].map(Number))");
        Assert.InRange(lines.Length, Tokens.Length, Tokens.Length * (Tokens.Length + 1) / 2);
        for (var query = 0; query < Tokens.Length; query++)
        {
            for (var key = 0; key < Tokens.Length; key++)
            {
                var share = shares[query][key].GetSingle();
                Assert.Equal(expected.Row(0, query)[key], share);
                var line = Array.Find(lines, line => line[0] == query && line[1] == key);
                Assert.True(line is null ? share < 0.005 : Math.Abs(line[2] - share) < 1e-6, $"{query} {key} {share}");
            }
        }

        // A token under the mouse tells its numbers; so does an entry of the matrix.
        await page.Locator("#attention .token").Nth(5).HoverAsync();
        await Expect(page.Locator("#reading")).ToContainTextAsync($"token {Tokens[5]} at 5 looks most at token");
        await page.Locator("#attention svg").FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await Expect(page.Locator("#reading")).ToContainTextAsync($"token {Tokens[5]} at 5 is looked at most by token");
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.Locator("#reading")).ToContainTextAsync($"token {Tokens[6]} at 6 is looked at most by token");
        await page.Keyboard.PressAsync("ArrowLeft");
        await Expect(page.Locator("#reading")).ToContainTextAsync($"token {Tokens[6]} at 6 looks most at token");
        await browser.TakePicturesAsync("head-lines");
        await page.Locator("#view input[value=matrix]").CheckAsync();
        await page.Locator("#attention canvas").FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.Locator("#reading")).ToContainTextAsync($"token {Tokens[1]} at 1 looks at token {Tokens[0]} at 0: ");
        await browser.TakePicturesAsync("head-matrix");

        await page.Locator("#colour input[value=pattern]").CheckAsync();
        await page.Locator("#score").SelectOptionAsync("firstToken");
        var scores = capture.GetProperty("heads").EnumerateArray().Select(head => head.GetProperty("scores")[0].GetProperty("firstToken").GetDouble());
        var shown = await page.Locator(".cell").EvaluateAllAsync<string[]>("cells => cells.map(cell => cell.dataset.value)");
        Assert.Equal(scores, shown.Select(value => double.Parse(value, CultureInfo.InvariantCulture)));
        await browser.TakePicturesAsync("grid-pattern");

        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Heads_of_a_killed_silo_are_seen_moving()
    {
        await using var browser = await Browser.StartAsync();
        await using var cluster = await StartAsync();
        var page = browser.Page;
        await page.GotoAsync(cluster.Url);
        await page.Locator("#colour input[value=silo]").CheckAsync();
        await Expect(page.Locator(".cell[data-silo=second]")).Not.ToHaveCountAsync(0);
        var moving = await page.Locator(".cell[data-silo=second]").CountAsync();
        await browser.TakePicturesAsync("before-a-kill");

        // Heads come back with the next request that needs them. Some of the first silo go too, after the request that they have just
        // served: those that the lost silo kept the directory entries of.
        cluster.Second.Process.Kill();
        await Eventually.IsTrueAsync(
            async () =>
            {
                await Eventually.SucceedsAsync(() => cluster.ForwardAsync());
                return await page.Locator(".cell[data-silo=first]").CountAsync() == 9;
            },
            "all heads on the silo that is left");

        await Expect(page.Locator("#move-rows li")).ToHaveCountAsync(moving);
        await Expect(page.Locator("#move-rows li").First).ToContainTextAsync("second → first");
        await Expect(page.Locator("tr.gone[data-silo=second]")).ToContainTextAsync("gone since");
        await browser.TakePicturesAsync("after-a-kill");
    }

    [Fact]
    public async Task A_large_model_fits_and_says_that_nothing_was_captured()
    {
        await using var browser = await Browser.StartAsync();
        var port = SiloProcess.FreePorts(1)[0];
        await using var silo = await SiloProcess.StartAsync(primary: null, Still, "--page-port", $"{port}", "--models", "gpt2=random:gpt2-small");
        await using var client = await HeadClusterClient.ConnectAsync(silo.Gateway, Stop);
        for (var layer = 0; layer < 12; layer++)
        {
            await client.AttendAsync("gpt2", layer, Inputs.Matrix(rows: 16, columns: 768), Stop);
        }

        var page = browser.Page;
        await page.GotoAsync($"http://localhost:{port}/");
        await Expect(page.Locator(".cell:not(.absent)")).ToHaveCountAsync(144);
        await page.Locator(".cell[data-layer='4'][data-head='11']").ClickAsync();
        await Expect(page.Locator("#attention-note")).ToContainTextAsync("No request was captured yet");
        Assert.Empty(browser.Errors);
        await browser.TakePicturesAsync("gpt2-small");
    }

    [Fact]
    public async Task Models_that_cannot_be_used_are_shown_beside_those_that_can()
    {
        await using var browser = await Browser.StartAsync();
        var port = SiloProcess.FreePorts(1)[0];
        await using var silo = await SiloProcess.StartAsync(primary: null, Still, "--page-port", $"{port}", "--models", "gone=./no-such-directory");

        await browser.Page.GotoAsync($"http://localhost:{port}/");

        await Expect(browser.Page.Locator(".cell")).ToHaveCountAsync(9);
        await Expect(browser.Page.Locator("#grid-note")).ToContainTextAsync("Cannot be used: model 'gone': ");
    }

    [Fact]
    public async Task Api_refuses_in_one_line_and_answers_only_this_machine()
    {
        var port = SiloProcess.FreePorts(1)[0];
        await using var silo = await SiloProcess.StartAsync(primary: null, Still, "--page-port", $"{port}");

        Assert.Equal(JsonValueKind.Null, (await JsonAsync($"http://127.0.0.1:{port}/api/capture?model={Inputs.Model}")).ValueKind);
        await RefusedAsync("api/capture?model=nano", HttpStatusCode.NotFound, "there is no model 'nano'");
        await RefusedAsync($"api/pattern?model={Inputs.Model}&layer=-1", HttpStatusCode.BadRequest, "layer is '-1'; expected a whole number");
        await RefusedAsync($"api/pattern?model={Inputs.Model}&layer=0&head=0&sequence=0&capture=x", HttpStatusCode.BadRequest, "'x' is not the id of a capture");
        await RefusedAsync(
            $"api/pattern?model={Inputs.Model}&layer=0&head=0&sequence=0&capture={Guid.NewGuid()}", HttpStatusCode.NotFound, "is not kept");

        using var foreign = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/api/cluster") { Headers = { Host = "silo.example" } };
        Assert.Equal(HttpStatusCode.BadRequest, (await Http.SendAsync(foreign, Stop)).StatusCode);
        using var change = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/api/cluster");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await Http.SendAsync(change, Stop)).StatusCode);

        async Task RefusedAsync(string path, HttpStatusCode status, string because)
        {
            using var answer = await Http.GetAsync(new Uri($"http://127.0.0.1:{port}/{path}"), Stop);
            var text = await answer.Content.ReadAsStringAsync(Stop);
            Assert.Equal(status, answer.StatusCode);
            Assert.Contains(because, Assert.Single(text.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Api_tells_of_each_head_the_silo_and_the_times_of_its_last_requests()
    {
        await using var cluster = await StartAsync();
        for (var request = 0; request < 20; request++)
        {
            await cluster.ForwardAsync();
        }

        var answer = await JsonAsync($"{cluster.Url}api/cluster");
        var (heads, names) = await cluster.HeadsAsync();
        Assert.Equal(
            heads.Select(head => (
                head.Head.Layer,
                head.Head.KvHead,
                names[head.Silo],
                head.Requests,
                head.Queue.Recent.TotalMicroseconds,
                head.Project.Recent.TotalMicroseconds,
                head.Attend.Recent.TotalMicroseconds)),
            answer.GetProperty("heads").EnumerateArray().Select(head => (
                head.GetProperty("layer").GetInt32(),
                head.GetProperty("head").GetInt32(),
                head.GetProperty("silo").GetString()!,
                head.GetProperty("requests").GetInt64(),
                head.GetProperty("queueMicroseconds").GetDouble(),
                head.GetProperty("projectMicroseconds").GetDouble(),
                head.GetProperty("attendMicroseconds").GetDouble())));
    }

    [Fact]
    public async Task Orleans_dashboard_is_beside_the_page_where_it_is_on()
    {
        var ports = SiloProcess.FreePorts(2);
        var environment = new Dictionary<string, string>(Still) { ["HeadCluster__Silo__Dashboard"] = "true" };
        await using var silo = await SiloProcess.StartAsync(primary: null, environment, "--page-port", $"{ports[0]}");
        await using var plain = await SiloProcess.StartAsync(primary: null, Still, "--page-port", $"{ports[1]}");

        Assert.Contains("html", await Http.GetStringAsync(new Uri($"http://localhost:{ports[0]}/dashboard/"), Stop), StringComparison.Ordinal);
        Assert.Contains("\"hosts\"", await Http.GetStringAsync(new Uri($"http://localhost:{ports[0]}/dashboard/DashboardCounters"), Stop), StringComparison.Ordinal);
        Assert.True((await JsonAsync($"http://localhost:{ports[0]}/api/cluster")).GetProperty("dashboard").GetBoolean());
        using var absent = await Http.GetAsync(new Uri($"http://localhost:{ports[1]}/dashboard/"), Stop);
        Assert.Equal(HttpStatusCode.NotFound, absent.StatusCode);
    }

    [Theory]
    [InlineData("PageAddress", "here", "HeadCluster:Silo:PageAddress is 'here'; expected an address of this machine")]
    [InlineData("PagePort", "0", "PagePort is 0; expected 1 to 65535")]
    [InlineData("PagePort", "30000", "GatewayPort and PagePort are both 30000")]
    [InlineData("Dashboard", "maybe", "HeadCluster:Silo:Dashboard is 'maybe'; expected true or false")]
    public async Task Settings_that_cannot_be_are_refused(string setting, string value, string because)
    {
        var result = await CommandResult.RunProgramAsync(Programs.Silo, new() { [$"HeadCluster__Silo__{setting}"] = value });

        result.AssertRefused(because);
    }

    private static async Task<JsonElement> JsonAsync(string url) => JsonDocument.Parse(await Http.GetStringAsync(new Uri(url), Stop)).RootElement;

    private static async Task<PageCluster> StartAsync()
    {
        var port = SiloProcess.FreePorts(1)[0];
        var first = await SiloProcess.StartAsync(primary: null, Still, "--name", "first", "--page-port", $"{port}");
        var second = await SiloProcess.StartAsync(first, Still, "--name", "second");
        var cluster = new PageCluster(first, second, await HeadClusterClient.ConnectAsync(first.Gateway, Stop), $"http://localhost:{port}/");
        await cluster.CaptureAsync();
        return cluster;
    }

    // Two silos, one of them with the page, that have served a request that captured patterns.
    private sealed class PageCluster(SiloProcess first, SiloProcess second, HeadClusterClient client, string url) : IAsyncDisposable
    {
        public SiloProcess Second => second;

        public string Url => url;

        public ForwardResult Captured { get; private set; } = null!;

        public Task<ForwardResult> ForwardAsync() =>
            client.ForwardAsync(Inputs.Model, new ForwardRequest(Tokens, Patterns: PatternSelection.All), Stop);

        public async Task<(IReadOnlyList<HeadStatistics> Heads, Dictionary<SiloAddress, string> Names)> HeadsAsync()
        {
            var status = await client.StatusAsync(Stop);
            return (status.Heads, status.Silos.ToDictionary(silo => silo.Address, silo => silo.Name));
        }

        public async Task CaptureAsync() => Captured = await ForwardAsync();

        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            await second.DisposeAsync();
            await first.DisposeAsync();
        }
    }
}
