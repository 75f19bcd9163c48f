using HeadCluster.Models;

namespace HeadCluster.Silo.CommandLine;

/// <summary>A model given on the command line as <c>name=path</c>.</summary>
internal static class ModelSetting
{
    public const string Description = "A model to serve, as name=path of a directory with config.json and *.safetensors; may be repeated.";

    private const string Before = "HeadCluster:Models:";
    private const string After = ":Path";

    /// <summary>The configuration that some <c>name=path</c> stand for; a relative path starts at the current directory.</summary>
    /// <exception cref="HeadClusterException">A text has another form, or a name is there twice.</exception>
    public static KeyValuePair<string, string?>[] ParseAll(IEnumerable<string>? texts)
    {
        var settings = (texts ?? []).Select(Parse).ToArray();

        // As configuration compares its keys.
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return Array.Find(settings, setting => !taken.Add(setting.Key)) is { Key: { } key }
            ? throw HeadClusterException.InvalidInput($"--models adds '{Name(key)}' twice; give each model a name of its own, apart from its case")
            : settings;
    }

    private static KeyValuePair<string, string?> Parse(string text)
    {
        var cut = text.IndexOf('=');
        var (name, path) = cut < 0 ? ("", "") : (text[..cut], text[(cut + 1)..]);
        if (name.Length == 0 || path.Length == 0 || name.Contains('/') || name.Contains(':'))
        {
            throw HeadClusterException.InvalidInput($"'{text}' does not add a model; expected name=path, such as mine=./models/mine");
        }

        var location = path.StartsWith(ModelLocation.RandomPrefix, StringComparison.Ordinal) ? path : Path.GetFullPath(path);
        return KeyValuePair.Create($"{Before}{name}{After}", (string?)location);
    }

    private static string Name(string key) => key[Before.Length..^After.Length];
}
