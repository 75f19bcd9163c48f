using HeadCluster.Cli.Files;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests.Attend;

public sealed class AttendTests
{
    [Fact]
    public async Task Attend_gives_the_same_values_from_and_to_either_format()
    {
        using var folder = new TemporaryDirectory();
        Inputs.Write(folder.File("x.npy"), rows: 7);
        Inputs.Write(folder.File("x.safetensors"), rows: 7);

        await AttendAsync(folder.File("x.npy"), folder.File("y1.safetensors"));
        await AttendAsync(folder.File("x.safetensors"), folder.File("y2.npy"));

        var (first, second) = (MatrixFile.Read(folder.File("y1.safetensors")), MatrixFile.Read(folder.File("y2.npy")));
        Assert.Equal([7, Inputs.Width], first.Shape);
        Assert.Equal(first.Span, second.Span);
    }

    [Fact]
    public async Task Attend_reports_each_head()
    {
        using var folder = new TemporaryDirectory();
        var result = await CommandResult.SucceedAsync(
            "attend", "--model", Inputs.Model, "--layer", "1", "--input", Inputs.Write(folder.File("x.npy"), rows: 3), "--json");

        var answer = result.Json;
        Assert.Equal((3, Inputs.Width), (answer.GetProperty("rows").GetInt32(), answer.GetProperty("columns").GetInt32()));
        Assert.Equal([0, 1, 2], answer.GetProperty("heads").EnumerateArray().Select(head => head.GetProperty("head").GetInt32()));
    }

    [Fact]
    public async Task Attend_serves_a_model_of_another_directory()
    {
        using var folder = new TemporaryDirectory();
        Inputs.Write(folder.File("x.npy"), rows: 5);

        await AttendAsync(folder.File("x.npy"), folder.File("y1.npy"));
        await CommandResult.SucceedAsync(
            "attend", "--models", $"mine={Repository.Find("samples", "nano-gpt")}", "--model", "mine", "--layer", "0",
            "--input", folder.File("x.npy"), "--output", folder.File("y2.npy"));

        Assert.Equal(File.ReadAllBytes(folder.File("y1.npy")), File.ReadAllBytes(folder.File("y2.npy")));
    }

    [Fact]
    public async Task Attend_serves_a_built_in_model_by_its_location()
    {
        using var folder = new TemporaryDirectory();
        var result = await CommandResult.SucceedAsync(
            "attend", "--model", "random:nano?seed=1", "--layer", "0", "--input", Inputs.Write(folder.File("x.npy"), rows: 2));

        Assert.Contains("y float32[2, 48]", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nano-gpt", "3", "x.npy", "y.npy", "no layer 3")]
    [InlineData("nano-gpt", "-1", "x.npy", "y.npy", "-1")]
    [InlineData("nano-gpt", "zero", "x.npy", "y.npy", "--layer: 'zero' is not a whole number")]
    [InlineData("nano", "0", "x.npy", "y.npy", "no model 'nano'")]
    [InlineData("nano/gpt", "0", "x.npy", "y.npy", "'nano/gpt' is not the name of a model")]
    [InlineData("", "0", "x.npy", "y.npy", "'' is not the name of a model")]
    [InlineData("random:huge", "0", "x.npy", "y.npy", "model 'random:huge': there is no such shape")]
    [InlineData("nano-gpt", "0", "absent.npy", "y.npy", "absent.npy")]
    [InlineData("nano-gpt", "0", "x.txt", "y.npy", "x.txt")]
    [InlineData("nano-gpt", "0", "x.npy", "y.txt", "y.txt")]
    [InlineData("nano-gpt", "0", "x.npy", "absent/y.npy", "--output: ")]
    [InlineData("no-model-is-asked", "0", "x.npy", "absent/y.npy", "no directory")]
    [InlineData("no-model-is-asked", "0", "x.npy", "folder.npy", "it is a directory")]
    [InlineData("nano-gpt", "0", "wide.npy", "y.npy", "float32[rows, 48]")]
    [InlineData("nano-gpt", "0", "long.npy", "y.npy", "12")]
    [InlineData("nano-gpt", "0", "nan.npy", "y.npy", "NaN")]
    [InlineData("nano-gpt", "0", "junk.npy", "y.npy", "is not a .npy file")]
    [InlineData("nano-gpt", "0", "junk.safetensors", "y.npy", "junk.safetensors")]
    [InlineData("nano-gpt", "0", "two.safetensors", "y.npy", "holds 2 tensors")]
    public async Task Attend_refuses_what_cannot_be_done(string model, string layer, string input, string output, string because)
    {
        using var folder = new TemporaryDirectory();
        Inputs.Write(folder.File("x.npy"), rows: 2);
        Inputs.Write(folder.File("wide.npy"), rows: 2, columns: Inputs.Width + 1);
        Inputs.Write(folder.File("long.npy"), rows: 12);
        Directory.CreateDirectory(folder.File("folder.npy"));
        MatrixFile.Write(folder.File("nan.npy"), new FloatTensor([.. Enumerable.Repeat(float.NaN, Inputs.Width)], 1, Inputs.Width));
        File.WriteAllText(folder.File("junk.npy"), "not numbers");
        File.WriteAllText(folder.File("junk.safetensors"), "not tensors");
        Models.SafetensorsWriter.Write(folder.File("two.safetensors"), [new("a", [1], new float[1]), new("b", [1], new float[1])]);

        var result = await CommandResult.RunAsync(
            "attend", "--model", model, "--layer", layer, "--input", folder.File(input), "--output", folder.File(output));

        result.AssertRefused(because);
    }

    [Theory]
    [InlineData("m=a", "m=b", "'m' twice")]
    [InlineData("mine=a", "Mine=a", "'Mine' twice")]
    public async Task Attend_refuses_two_models_of_one_name(string first, string second, string because)
    {
        using var folder = new TemporaryDirectory();

        var result = await CommandResult.RunAsync(
            "attend", "--models", first, "--models", second, "--model", "m", "--layer", "0",
            "--input", Inputs.Write(folder.File("x.npy"), rows: 2));

        result.AssertRefused(because);
    }

    private static Task AttendAsync(string input, string output) =>
        CommandResult.SucceedAsync("attend", "--model", Inputs.Model, "--layer", "0", "--input", input, "--output", output);
}
