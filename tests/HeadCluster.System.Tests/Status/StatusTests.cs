using System.Diagnostics;
using System.Text.Json;

namespace HeadCluster.System.Tests.Status;

public sealed class StatusTests
{
    [Fact]
    public async Task A_model_that_cannot_be_opened_is_listed_with_its_error()
    {
        string[] status = ["status", "--models", "gone=./no-such-directory"];

        var json = (await CommandResult.SucceedAsync([.. status, "--json"])).Json;
        var broken = Assert.Single(json.GetProperty("brokenModels").EnumerateArray());
        Assert.Equal("gone", broken.GetProperty("name").GetString());
        Assert.Contains("no such directory", broken.GetProperty("error").GetString()!, StringComparison.Ordinal);
        Assert.Equal([Inputs.Model], Names(json.GetProperty("models")));

        var text = await CommandResult.SucceedAsync(status);
        Assert.Contains("cannot be used: model 'gone': ", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminal_is_told_what_is_waited_for_and_a_pipe_is_not()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "there is no script(1) to make a terminal");

        var command = $"'{Programs.DotNet}' '{Path.Combine(AppContext.BaseDirectory, Programs.HeadCluster)}' status";
        Assert.Contains("Starting a silo", await InTerminalAsync(command), StringComparison.Ordinal);
        Assert.DoesNotContain("Starting a silo", await InTerminalAsync(command + " 2> /dev/null"), StringComparison.Ordinal);
        Assert.Empty((await CommandResult.SucceedAsync("status")).Error);
    }

    private static string?[] Names(JsonElement models) => [.. models.EnumerateArray().Select(model => model.GetProperty("name").GetString())];

    private static async Task<string> InTerminalAsync(string command)
    {
        using var limit = Programs.Limit();
        var start = new ProcessStartInfo("/usr/bin/script", ["-qec", command, "/dev/null"]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment["TERM"] = "xterm";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
