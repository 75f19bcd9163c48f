using System.Text.Json;

namespace HeadCluster.System.Tests.Demo;

public sealed class DemoTests
{
    [Fact]
    public async Task Demo_sorts_every_input_with_one_hash_within_rounding()
    {
        var result = await CommandResult.SucceedAsync("demo", "--json");

        var answer = result.Json;
        var inputs = answer.GetProperty("inputs").EnumerateArray().ToList();
        Assert.NotEmpty(inputs);
        Assert.All(inputs, input =>
        {
            var letters = input.GetProperty("letters").GetString()!;
            Assert.True(input.GetProperty("sorted").GetBoolean());
            Assert.Equal(string.Concat(letters.Order()), input.GetProperty("answer").GetString());
        });
        Assert.True(answer.GetProperty("oneHash").GetBoolean());
        Assert.Equal(64, answer.GetProperty("sha256").GetString()!.Length);
        Assert.InRange(answer.GetProperty("maxDifference").GetDouble(), 0, 1e-5);
        Assert.True(answer.GetProperty("firstAnswerSeconds").GetDouble() > 0);
    }

    [Fact]
    public async Task Demo_reports_every_head_on_two_silos()
    {
        var result = await CommandResult.SucceedAsync("demo", "--json", "--letters", "CBACBA");

        var heads = result.Json.GetProperty("heads").EnumerateArray().ToList();
        Assert.Equal(
            [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)],
            heads.Select(head => (head.GetProperty("layer").GetInt32(), head.GetProperty("head").GetInt32())));
        Assert.Equal(["silo-1", "silo-2"], heads.Select(head => head.GetProperty("silo").GetString()).Distinct().Order());
        Assert.All(heads, head =>
        {
            Assert.True(Number(head, "queueMicroseconds") >= 0);
            Assert.True(Number(head, "projectMicroseconds") > 0);
            Assert.True(Number(head, "attendMicroseconds") > 0);
            Assert.InRange(Number(head, "previousTokenShare"), 0, 1);
        });
    }

    [Fact]
    public async Task Demo_sorts_the_letters_it_is_given_and_prints_no_escape_codes_into_a_pipe()
    {
        var result = await CommandResult.SucceedAsync("demo", "--letters", "CCCCCC", "--letters", "BABABA");

        Assert.Contains("CCCCCC → CCCCCC", result.Output, StringComparison.Ordinal);
        Assert.Contains("BABABA → AAABBB", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', result.Output);
        Assert.All(result.Output.Split('\n'), line => Assert.InRange(line.Length, 0, 110));
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task Demo_trace_goes_to_the_error_stream_beside_the_json()
    {
        var result = await CommandResult.SucceedAsync("demo", "--json", "--letters", "ABCABC", "--trace", "console");

        Assert.True(result.Json.GetProperty("oneHash").GetBoolean());
        var spans = Spans.Parse(result.Error.Split('\n'));
        Assert.Contains(spans.Values, span => span.Name == "head" && spans.Above(span, "attention") is not null);
    }

    [Theory]
    [InlineData("ABCAB")]
    [InlineData("ABCABCA")]
    [InlineData("ABCABD")]
    [InlineData("abcabc")]
    [InlineData("")]
    public async Task Demo_with_other_than_six_letters_is_refused(string letters)
    {
        var result = await CommandResult.RunAsync("demo", "--letters", letters);

        result.AssertRefused($"'{letters}' cannot be sorted");
    }

    private static double Number(JsonElement head, string property) => head.GetProperty(property).GetDouble();
}
