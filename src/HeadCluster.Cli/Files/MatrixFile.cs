using HeadCluster.Models;

namespace HeadCluster.Cli.Files;

/// <summary>A matrix of floats in a file, of the format that the file's name says.</summary>
internal static class MatrixFile
{
    private const string Npy = ".npy";
    private const string Safetensors = ".safetensors";

    /// <summary>Name of the tensor in a safetensors file that is written.</summary>
    private const string OutputName = "y";

    /// <summary>Reads a matrix; a safetensors file holds it as its only tensor.</summary>
    /// <exception cref="ModelException">The file cannot be read or does not hold one matrix of floats.</exception>
    public static FloatTensor Read(string path)
    {
        CheckName(path);
        return IsNpy(path) ? NpyReader.Read(path) : ReadSafetensors(path);
    }

    /// <summary>Writes a matrix as float32.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, FloatTensor matrix)
    {
        CheckName(path);
        if (IsNpy(path))
        {
            NpyWriter.Write(path, matrix);
        }
        else
        {
            SafetensorsWriter.Write(path, [new NamedTensor(OutputName, [matrix.Rows, matrix.Columns], matrix.Memory)]);
        }
    }

    /// <summary>Checks, before anything is computed, that a matrix can be written where an option says.</summary>
    /// <exception cref="ModelException">The file's name says none of the formats, or its directory is not there.</exception>
    public static void CheckWritable(string path, string option)
    {
        CheckName(path);
        OutputFile.CheckWritable(path, option);
    }

    private static void CheckName(string path)
    {
        if (!IsNpy(path) && !path.EndsWith(Safetensors, StringComparison.OrdinalIgnoreCase))
        {
            throw new ModelException($"{path}: the name of a file of numbers ends with {Npy} or {Safetensors}");
        }
    }

    private static bool IsNpy(string path) => path.EndsWith(Npy, StringComparison.OrdinalIgnoreCase);

    private static FloatTensor ReadSafetensors(string path)
    {
        using var file = SafetensorsFile.Open(path);
        if (file.Tensors.Count != 1)
        {
            throw new ModelException($"{path}: holds {file.Tensors.Count} tensors; expected one, the input");
        }

        var tensor = file.Tensors.Values.Single();
        return tensor.Shape is [var rows and <= int.MaxValue, var columns and <= int.MaxValue] && tensor.ElementCount <= FloatTensor.MaxLength
            ? new FloatTensor(file.ReadFloats(tensor.Name), (int)rows, (int)columns)
            : throw new ModelException($"{path}: the tensor's shape is [{string.Join(", ", tensor.Shape)}]; expected a matrix [rows, width]");
    }
}
