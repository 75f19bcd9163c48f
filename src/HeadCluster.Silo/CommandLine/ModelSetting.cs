using HeadCluster.Models;

namespace HeadCluster.Silo.CommandLine;

/// <summary>A model given on the command line as <c>name=path</c>.</summary>
internal static class ModelSetting
{
    public const string Description = "A model to serve, as name=path of a directory with config.json and *.safetensors; may be repeated.";

    /// <summary>The configuration that <c>name=path</c> stands for; a relative path starts at the current directory.</summary>
    /// <exception cref="HeadClusterException">The text has another form.</exception>
    public static KeyValuePair<string, string?> Parse(string text)
    {
        var cut = text.IndexOf('=');
        var (name, path) = cut < 0 ? ("", "") : (text[..cut], text[(cut + 1)..]);
        if (name.Length == 0 || path.Length == 0 || name.Contains('/') || name.Contains(':'))
        {
            throw HeadClusterException.InvalidInput($"'{text}' does not add a model; expected name=path, such as mine=./models/mine");
        }

        var location = path.StartsWith(ModelLocation.RandomPrefix, StringComparison.Ordinal) ? path : Path.GetFullPath(path);
        return KeyValuePair.Create($"HeadCluster:Models:{name}:Path", (string?)location);
    }
}
