namespace HeadCluster.Client;

/// <summary>What a model may be called: its name is part of the keys of its heads.</summary>
internal static class ModelName
{
    public static string Check(string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Length == 0 || model.Contains('/')
            ? throw HeadClusterException.InvalidInput($"'{model}' is not the name of a model; expected one without '/', such as nano-gpt")
            : model;
    }
}
