namespace HeadCluster.System.Tests.Generate;

public sealed class GenerateTests
{
    [Fact]
    public async Task Generate_prints_one_token_a_step()
    {
        var result = await CommandResult.SucceedAsync("generate", "--model", Inputs.Model, "--tokens", "1,2,0,1,2,0", "--steps", "6");

        Assert.Equal("0 0 1 1 2 2\n", result.Output);
    }

    [Fact]
    public async Task Generate_tells_positions_and_probabilities()
    {
        var result = await CommandResult.SucceedAsync("generate", "--model", Inputs.Model, "--tokens", "1, 2,0,1,2,0", "--steps", "2", "--json");

        var tokens = result.Json.GetProperty("tokens").EnumerateArray().ToList();
        Assert.Equal([(6, 0), (7, 0)], tokens.Select(token => (token.GetProperty("position").GetInt32(), token.GetProperty("token").GetInt32())));
        Assert.All(tokens, token => Assert.InRange(token.GetProperty("probability").GetDouble(), 0.5, 1));
    }

    [Theory]
    [InlineData("nano-gpt", "1,x", "1", "'x' is not a token id")]
    [InlineData("nano-gpt", "", "1", "'' is not a token id")]
    [InlineData("nano-gpt", "1,3", "1", "token 3")]
    [InlineData("nano-gpt", "1,2", "-1", "-1 steps")]
    [InlineData("nano-gpt", "1,2", "11", "11 steps")]
    [InlineData("nano-gpt", "1,2", "many", "--steps: 'many' is not a whole number")]
    [InlineData("random:nano", "1,2", "1", "attention layers only")]
    public async Task Generate_refuses_what_cannot_be_done(string model, string tokens, string steps, string because)
    {
        var result = await CommandResult.RunAsync("generate", "--model", model, "--tokens", tokens, "--steps", steps);

        result.AssertRefused(because);
    }

    [Fact]
    public async Task Tokens_that_are_given_twice_are_refused_rather_than_half_of_them_used()
    {
        var result = await CommandResult.RunAsync("generate", "--model", Inputs.Model, "--tokens", "1,2", "--tokens", "0", "--steps", "1");

        result.AssertRefused("'--tokens' expects a single argument");
    }
}
