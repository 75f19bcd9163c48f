namespace HeadCluster.Models;

/// <summary>Opens a model by where it is.</summary>
public static class ModelLocation
{
    /// <summary>What the location of a built-in model of random weights starts with.</summary>
    public const string RandomPrefix = "random:";

    /// <summary>Opens a model.</summary>
    /// <param name="location">
    /// A directory with <c>config.json</c> and <c>*.safetensors</c>, or a built-in model such as <c>random:gpt2-small?seed=1</c>:
    /// <c>nano</c>, <c>gpt2-small</c> or <c>llama-110m</c>, with any of <c>seed</c>, <c>layers</c>, <c>model_dim</c>,
    /// <c>heads</c>, <c>kv_heads</c>, <c>head_dim</c> and <c>positions</c> after the question mark, joined by <c>&amp;</c>.
    /// Without <c>kv_heads</c> each query head has a key/value head of its own; without <c>seed</c> it is 1.
    /// </param>
    /// <exception cref="ModelException">There is no such model, or its files are not readable.</exception>
    public static Model Open(string location)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(location);
        return location.StartsWith(RandomPrefix, StringComparison.Ordinal)
            ? RandomModel.Open(location)
            : CheckpointModel.OpenDirectory(location);
    }
}
