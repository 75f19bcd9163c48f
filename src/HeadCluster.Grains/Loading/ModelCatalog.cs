using System.Collections.Concurrent;
using HeadCluster.Hosting;
using HeadCluster.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.Grains;

/// <summary>The models of this silo by name, each opened once, when it is first asked for.</summary>
internal sealed class ModelCatalog : IDisposable
{
    private readonly HeadClusterOptions _options;
    private readonly string _contentRoot;
    private readonly ConcurrentDictionary<string, Lazy<Model>> _open = new(StringComparer.Ordinal);

    public ModelCatalog(IOptions<HeadClusterOptions> options, IHostEnvironment environment)
    {
        _options = options.Value;
        _contentRoot = environment.ContentRootPath;
    }

    /// <summary>The model of a name.</summary>
    /// <exception cref="HeadClusterException">There is none of this name, or its files are not readable.</exception>
    public Model Open(string name)
    {
        var location = Locate(name);
        var model = _open.GetOrAdd(name, _ => new Lazy<Model>(() => ModelLocation.Open(PathOf(location))));
        try
        {
            return model.Value;
        }
        catch (Exception exception)
        {
            // Whatever its files made of it: no model that cannot be opened keeps others from being told of. Forgotten, so that a file
            // that has been mended is read again.
            _open.TryRemove(KeyValuePair.Create(name, model));

            // The message begins with the location, which is the name of a built-in model that has no other.
            var where = location == name ? "model" : $"model '{name}':";
            var what = exception is ModelException ? exception.Message : $"{location}: cannot be opened: {exception.Message}";
            throw new HeadClusterException(HeadClusterErrorKind.InvalidModel, $"{where} {what}".ReplaceLineEndings(" "));
        }
    }

    /// <summary>The model of a layer.</summary>
    /// <exception cref="HeadClusterException">There is no such model or layer, or the model's files are not readable.</exception>
    public Model Open(LayerId layer)
    {
        var model = Open(layer.Model);
        return layer.Layer < model.Configuration.LayerCount
            ? model
            : throw HeadClusterException.NotFound(
                $"model '{layer.Model}' has no layer {layer.Layer}; its layers are 0 to {model.Configuration.LayerCount - 1}");
    }

    /// <summary>The model of a head.</summary>
    /// <exception cref="HeadClusterException">There is no such model, layer or head, or the model's files are not readable.</exception>
    public Model Open(HeadId head)
    {
        var model = Open(head.LayerId);
        return head.KvHead < model.Configuration.KvHeadCount
            ? model
            : throw HeadClusterException.NotFound(
                $"layer {head.LayerId} has no head {head.KvHead}; its heads are 0 to {model.Configuration.KvHeadCount - 1}");
    }

    /// <summary>The sizes of a model.</summary>
    /// <exception cref="HeadClusterException">There is none of this name, or its files are not readable.</exception>
    public ModelDescription Describe(string name)
    {
        var model = Open(name).Configuration;
        return new ModelDescription(
            name,
            model.LayerCount,
            model.ModelDim,
            model.HeadCount,
            model.KvHeadCount,
            model.HeadDim,
            model.MaxSequenceLength,
            model.Transformer?.VocabularySize ?? 0);
    }

    /// <summary>The models that are configured or in use, by name, and what is wrong with those that cannot be used.</summary>
    public (ModelDescription[] Models, BrokenModel[] Broken) DescribeAll()
    {
        var models = new List<ModelDescription>();
        var broken = new List<BrokenModel>();
        foreach (var name in _options.Models.Keys.Union(_open.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            try
            {
                models.Add(Describe(name));
            }
            catch (HeadClusterException exception)
            {
                broken.Add(new BrokenModel(name, exception.Message));
            }
        }

        return ([.. models], [.. broken]);
    }

    public void Dispose()
    {
        foreach (var model in _open.Values.Where(model => model.IsValueCreated))
        {
            model.Value.Dispose();
        }
    }

    private string Locate(string name)
    {
        if (_options.Models.TryGetValue(name, out var model))
        {
            return model.Path;
        }

        return IsBuiltIn(name)
            ? name
            : throw HeadClusterException.NotFound(
                $"there is no model '{name}'; this cluster knows {string.Join(", ", _options.Models.Keys.Order(StringComparer.Ordinal).Append("random:<shape>"))}");
    }

    private string PathOf(string location) => IsBuiltIn(location) ? location : Path.GetFullPath(location, _contentRoot);

    private static bool IsBuiltIn(string location) => location.StartsWith(ModelLocation.RandomPrefix, StringComparison.Ordinal);
}
