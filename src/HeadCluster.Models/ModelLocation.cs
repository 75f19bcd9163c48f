namespace HeadCluster.Models;

/// <summary>Opens a model by where it is.</summary>
public static class ModelLocation
{
    /// <summary>What the location of a built-in model of random weights starts with.</summary>
    public const string RandomPrefix = "random:";

    /// <summary>Opens a model.</summary>
    /// <param name="location">
    /// A directory with <c>config.json</c> and <c>*.safetensors</c>, or a built-in model such as <c>random:gpt2-small?seed=1</c>.
    /// </param>
    /// <exception cref="ModelException">There is no such model, or its files are not readable.</exception>
    public static Model Open(string location) => throw new ModelException($"'{location}' cannot be opened");
}
