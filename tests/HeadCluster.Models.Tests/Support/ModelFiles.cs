using System.Text.Json.Nodes;
using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

/// <summary>A model's directory in the making.</summary>
internal sealed class ModelFiles
{
    public JsonObject Config { get; } = [];

    public List<NamedTensor> Tensors { get; } = [];

    public NamedTensor this[string name]
    {
        get => Tensors.Single(tensor => tensor.Name == name);
        set => Tensors[Tensors.FindIndex(tensor => tensor.Name == name)] = value;
    }

    public void Add(string name, float[] values, params long[] shape) => Tensors.Add(new(name, shape, values));

    /// <summary>Adds <c>{name}.weight</c> and perhaps <c>{name}.bias</c>.</summary>
    public void AddLinear(string name, Matrix matrix, bool outputsFirst)
    {
        if (outputsFirst)
        {
            Add($"{name}.weight", matrix.OutputsFirst, matrix.Outputs, matrix.Inputs);
        }
        else
        {
            Add($"{name}.weight", matrix.InputsFirst, matrix.Inputs, matrix.Outputs);
        }

        if (matrix.Bias is { } bias)
        {
            Add($"{name}.bias", bias, bias.Length);
        }
    }

    public void Write(TemporaryDirectory directory, TensorType type = TensorType.F32)
    {
        WriteConfig(directory);
        directory.Write("model.safetensors", TensorFile.Bytes(type, Tensors));
    }

    public void WriteConfig(TemporaryDirectory directory) => File.WriteAllText(directory.File("config.json"), Config.ToJsonString());
}
