namespace HeadCluster.Models;

/// <summary>
/// A model whose weights are read slice by slice. Opening it checks names and shapes of all tensors and reads none of them;
/// each <c>Read</c> touches only the bytes of what it returns, and those of a matrix not before it is asked for them
/// (<see cref="LinearWeights"/>). Thread-safe.
/// </summary>
public abstract class Model : IDisposable
{
    /// <summary>Its sizes and constants.</summary>
    public abstract ModelConfiguration Configuration { get; }

    /// <summary>Reads one head's own slice of the projections.</summary>
    /// <param name="layer">From 0 to LayerCount − 1.</param>
    /// <param name="kvHead">From 0 to KvHeadCount − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The layer or head is not in the model.</exception>
    public abstract HeadWeights ReadHead(int layer, int kvHead);

    /// <summary>Reads W_O and its bias, from HeadCount · ValueDim to ModelDim.</summary>
    /// <param name="layer">From 0 to LayerCount − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The layer is not in the model.</exception>
    public abstract LinearWeights ReadOutputProjection(int layer);

    /// <summary>Reads what a block holds besides its attention.</summary>
    /// <param name="layer">From 0 to LayerCount − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The layer is not in the model.</exception>
    /// <exception cref="InvalidOperationException">The model is attention layers only.</exception>
    public abstract BlockWeights ReadBlock(int layer);

    /// <summary>Reads what a GPT holds besides its blocks.</summary>
    /// <exception cref="InvalidOperationException">The model is attention layers only.</exception>
    public abstract TransformerWeights ReadTransformer();

    /// <summary>Closes the files. What was read stays valid.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Refuses a layer that the model does not have.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The layer is not in the model.</exception>
    protected void CheckLayer(int layer)
    {
        if (layer < 0 || layer >= Configuration.LayerCount)
        {
            throw new ArgumentOutOfRangeException(nameof(layer), layer, $"the model has {Configuration.LayerCount} layers");
        }
    }

    /// <summary>Refuses a key/value head that the model does not have.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The layer or head is not in the model.</exception>
    protected void CheckHead(int layer, int kvHead)
    {
        CheckLayer(layer);
        if (kvHead < 0 || kvHead >= Configuration.KvHeadCount)
        {
            throw new ArgumentOutOfRangeException(nameof(kvHead), kvHead, $"a layer has {Configuration.KvHeadCount} key/value heads");
        }
    }

    /// <summary>What a model that is attention layers only throws when asked for more.</summary>
    protected static InvalidOperationException OnlyAttention() => new("the model is attention layers only");

    /// <summary>Closes the files.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
