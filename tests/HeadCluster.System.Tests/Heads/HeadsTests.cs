using System.Text.Json;
using HeadCluster.Cli.Patterns;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests.Heads;

public sealed class HeadsTests(ITestOutputHelper output)
{
    private const string Tokens = "1,2,0,1,2,0,0,0,1,1,2";

    [Fact]
    public async Task Heads_are_scored_as_their_exported_patterns_say()
    {
        using var folder = new TemporaryDirectory();
        var result = await CommandResult.SucceedAsync(
            "heads", "--model", Inputs.Model, "--tokens", Tokens, "--json", "--circuitsvis", folder.File("cv.json"), "--bertviz", folder.File("bv.json"));

        var heads = result.Json.GetProperty("heads").EnumerateArray().ToArray();
        var (circuitsVis, bertViz) = (Read(folder.File("cv.json")), Read(folder.File("bv.json")));
        string[] tokens = Tokens.Split(',');
        Assert.Equal(9, heads.Length);
        foreach (var file in (JsonElement[])[circuitsVis, bertViz])
        {
            Assert.Equal(tokens, file.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()));
        }

        // One [1, heads, queries, keys] a layer; all heads of all layers in a row.
        Assert.Equal(3, bertViz.GetProperty("attention").GetArrayLength());
        Assert.All(bertViz.GetProperty("attention").EnumerateArray(), layer => Assert.Equal((1, 3), (layer.GetArrayLength(), layer[0].GetArrayLength())));
        Assert.Equal(9, circuitsVis.GetProperty("attention").GetArrayLength());
        Assert.Equal(
            ["L0H0", "L0H1", "L0H2", "L1H0", "L1H1", "L1H2", "L2H0", "L2H1", "L2H2"],
            circuitsVis.GetProperty("attention_head_names").EnumerateArray().Select(name => name.GetString()));
        for (var i = 0; i < 9; i++)
        {
            var pattern = Floats(circuitsVis.GetProperty("attention")[i]);
            Assert.Equal(pattern, Floats(bertViz.GetProperty("attention")[i / 3][0][i % 3]));
            var scores = HeadScores.Of(pattern, Array.ConvertAll(tokens, int.Parse));
            Assert.Equal((i / 3, i % 3), (heads[i].GetProperty("layer").GetInt32(), heads[i].GetProperty("head").GetInt32()));
            Assert.Equal(scores.PreviousToken, heads[i].GetProperty("scores").GetProperty("previousToken").GetDouble());
            Assert.Equal(scores.Induction, heads[i].GetProperty("scores").GetProperty("induction").GetDouble());
        }

        var strongest = result.Json.GetProperty("strongest").GetProperty("previousToken");
        var most = heads.MaxBy(head => head.GetProperty("scores").GetProperty("previousToken").GetDouble());
        Assert.Equal(
            (most.GetProperty("layer").GetInt32(), most.GetProperty("head").GetInt32(), most.GetProperty("scores").GetProperty("previousToken").GetDouble()),
            (strongest.GetProperty("layer").GetInt32(), strongest.GetProperty("head").GetInt32(), strongest.GetProperty("share").GetDouble()));
        Assert.Contains("no tokenizer", result.Json.GetProperty("leftOut").GetProperty("punctuation").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_without_a_name_is_refused()
    {
        var result = await CommandResult.RunAsync("heads", "--model", Inputs.Model, "--tokens", Tokens, "--circuitsvis", "");

        result.AssertRefused("--circuitsvis: the name of the file is empty");
    }

    [Fact]
    public async Task Heads_of_one_layer_are_shown_as_a_table()
    {
        var result = await CommandResult.SucceedAsync("heads", "--model", Inputs.Model, "--tokens", Tokens, "--layer", "1");

        Assert.Equal(3, result.Output.Split('\n').Count(line => line.TrimStart().StartsWith("1 ", StringComparison.Ordinal)));
        Assert.Contains("strongest: previous 1.", result.Output, StringComparison.Ordinal);
        Assert.Contains("punctuation is left out", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ex0.json")]
    [InlineData("ex1.json")]
    [InlineData("ex2.json")]
    public void Heads_names_4_11_as_the_previous_token_head_of_GPT_2_small(string file)
    {
        using var recorded = JsonDocument.Parse(File.ReadAllBytes(Cases.Find("gpt2-attention", file)));
        var tokens = recorded.RootElement.GetProperty("tokenIds").EnumerateArray().Select(id => id.GetInt32()).ToArray();
        var layers = recorded.RootElement.GetProperty("attn_softmax").EnumerateArray().Select((layer, index) =>
            layer.EnumerateArray().Select((head, place) => Report(new HeadId("gpt2", index, place), Floats(head), tokens.Length)).ToArray());

        var answer = HeadScoresAnswer.Of("gpt2", new PromptPatterns(tokens, new ForwardResult(new FloatTensor([0], 1, 1), [.. layers])));

        Assert.Equal(144, answer.Heads.Count);
        Assert.Contains("strongest: previous 4.11 (", answer.NameStrongest(), StringComparison.Ordinal);
        output.WriteLine(answer.NameStrongest());
    }

    [Theory]
    [InlineData("heads --model nano-gpt --tokens 1,2 --layer 3", "the patterns of layer 3 were asked for; expected 0 to 2")]
    [InlineData("heads --model nano-gpt --tokens 1,x", "'x' is not a token id")]
    [InlineData("heads --model random:nano --tokens 1", "attention layers only")]
    [InlineData("heads --model nano-gpt --tokens 1 --bertviz absent/file.json", "--bertviz: absent/file.json cannot be written")]
    public async Task Heads_refuses_what_cannot_be_done(string args, string because) =>
        (await CommandResult.RunAsync(args.Split(' '))).AssertRefused(because);

    [Fact]
    public async Task Heads_says_what_to_do_where_the_silos_keep_patterns_in_part()
    {
        var environment = new Dictionary<string, string> { ["HeadCluster__Patterns__DenseBytes"] = "100" };

        var result = await CommandResult.RunProgramAsync(Programs.HeadCluster, environment, "heads", "--model", Inputs.Model, "--tokens", Tokens);

        result.AssertRefused("raise HeadCluster:Patterns:DenseBytes of the silos to 484 or more");
    }

    private static HeadReport Report(HeadId head, float[] pattern, int length) => new(
        head, SiloAddress.Zero, default, default, default, [new HeadPattern(new FloatTensor(pattern, 1, length, length))]);

    private static JsonElement Read(string path) => JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;

    private static float[] Floats(JsonElement matrix) =>
        [.. matrix.EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(value => value.GetSingle())];
}
