using HeadCluster.Tests;

namespace HeadCluster.System.Tests.Deploy;

public sealed class ComposeTests
{
    [Fact]
    public async Task Compose_file_is_one_that_docker_compose_takes()
    {
        var (program, command) = await ComposeAsync();

        var services = await Tool.SucceedAsync(
            program, [.. command, "--file", Repository.Find("deploy", "compose.yaml"), "config", "--services"]);

        Assert.Superset(new HashSet<string>(["redis", "silo", "collector", "jaeger", "prometheus", "grafana"]), services.Split('\n').ToHashSet());
    }

    // A plugin of docker, or the program that came before it.
    private static async Task<(string Program, string[] Command)> ComposeAsync()
    {
        var paths = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        var docker = paths.Select(path => Path.Combine(path, "docker")).FirstOrDefault(File.Exists);
        return docker is not null && (await Tool.RunAsync(docker, [], "compose", "version")).ExitCode == 0
            ? (docker, ["compose"])
            : (Tool.Require("docker-compose"), []);
    }
}
