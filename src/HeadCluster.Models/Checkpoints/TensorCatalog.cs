namespace HeadCluster.Models;

/// <summary>
/// The tensors of all files of a model. A layout takes from it what it knows, with the shape it expects; what is left at the end
/// is an error, because a tensor that nobody reads may be one that changes the result.
/// </summary>
internal sealed class TensorCatalog : IDisposable
{
    private readonly string _directory;
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    private TensorCatalog(string directory)
    {
        _directory = directory;
    }

    public IEnumerable<string> Names => _tensors.Keys;

    /// <summary>Bytes of tensors that reads have touched.</summary>
    public long BytesRead => _files.Sum(file => file.BytesRead);

    public static TensorCatalog Open(string directory)
    {
        var catalog = new TensorCatalog(directory);
        try
        {
            foreach (var path in Directory.EnumerateFiles(directory, "*.safetensors").Order(StringComparer.Ordinal))
            {
                catalog.Add(SafetensorsFile.OpenWeights(path));
            }

            return catalog._files.Count > 0
                ? catalog
                : throw new ModelException($"{directory}: has no *.safetensors; a model is a directory with {ConfigFile.Name} and *.safetensors");
        }
        catch (Exception error)
        {
            catalog.Dispose();
            if (error is IOException or UnauthorizedAccessException)
            {
                throw new ModelException($"{directory}: cannot be read: {error.Message}", error);
            }

            throw;
        }
    }

    public bool Has(string name) => _tensors.ContainsKey(name);

    public IReadOnlyList<long> ShapeOf(string name) => Find(name).Info.Shape;

    /// <summary>Takes a tensor that must be there.</summary>
    public StoredTensor Take(string name, params IReadOnlyList<long> shape)
    {
        var tensor = Find(name);
        if (!tensor.Info.Shape.SequenceEqual(shape))
        {
            throw new ModelException(
                $"{tensor.File.Path}: tensor {Quote.Text(name)} has shape {Quote.Shape(tensor.Info.Shape)}; expected {Quote.Shape(shape)}");
        }

        if (!tensor.Info.Type.IsReadable())
        {
            throw new ModelException($"{tensor.File.Path}: tensor {Quote.Text(name)} is {tensor.Info.Type}; expected F32, F16 or BF16");
        }

        _taken.Add(name);
        return tensor;
    }

    /// <summary>Takes a tensor that may be missing.</summary>
    public StoredTensor? TakeOptional(string name, params IReadOnlyList<long> shape) => Has(name) ? Take(name, shape) : null;

    /// <summary>Counts a tensor that has no weights as taken.</summary>
    public void Ignore(string name) => _taken.Add(name);

    /// <summary>Refuses a model with tensors that nobody took.</summary>
    public void ExpectAllTaken()
    {
        var left = _tensors.Values.Where(tensor => !_taken.Contains(tensor.Info.Name)).ToList();
        if (left is [var first, ..])
        {
            throw new ModelException(
                $"{first.File.Path}: tensor {Quote.Text(first.Info.Name)} is not expected in a model of this configuration"
                + (left.Count > 1 ? $", nor are {left.Count - 1} more" : ""));
        }
    }

    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Dispose();
        }
    }

    private StoredTensor Find(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new ModelException($"{_directory}: tensor {Quote.Text(name)} is missing from its *.safetensors");

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (var tensor in file.Tensors.Values)
        {
            if (!_tensors.TryAdd(tensor.Name, new StoredTensor(file, tensor)))
            {
                throw new ModelException(
                    $"{file.Path}: tensor {Quote.Text(tensor.Name)} is in {Path.GetFileName(_tensors[tensor.Name].File.Path)} too; expected once");
            }
        }
    }
}
