namespace HeadCluster.Models;

/// <summary>A model in a directory.</summary>
internal sealed class CheckpointModel : Model
{
    private readonly TensorCatalog _tensors;
    private readonly Checkpoint _checkpoint;

    private CheckpointModel(TensorCatalog tensors, Checkpoint checkpoint)
    {
        _tensors = tensors;
        _checkpoint = checkpoint;
        Configuration = checkpoint.Configuration with { WeightType = checkpoint.WeightType };
    }

    public override ModelConfiguration Configuration { get; }

    /// <summary>Bytes of tensors that reads have touched.</summary>
    public long BytesRead => _tensors.BytesRead;

    public static CheckpointModel OpenDirectory(string directory)
    {
        if (!Directory.Exists(directory))
        {
            throw new ModelException(
                $"{directory}: there is no such directory; expected one with {ConfigFile.Name} and *.safetensors, or {RandomShape.Known}");
        }

        var config = ConfigFile.Open(directory);
        ModelType.Check(config);
        var tensors = TensorCatalog.Open(directory);
        try
        {
            var checkpoint = Layout.Read(directory, config, tensors);
            tensors.ExpectAllTaken();
            checkpoint.Configuration.ExpectArraysHold(directory);
            return new CheckpointModel(tensors, checkpoint);
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    public override HeadWeights ReadHead(int layer, int kvHead)
    {
        CheckHead(layer, kvHead);
        return _checkpoint.Attention[layer].ReadHead(Configuration, kvHead);
    }

    public override LinearWeights ReadOutputProjection(int layer)
    {
        CheckLayer(layer);
        return _checkpoint.Attention[layer].Output.Read();
    }

    public override BlockWeights ReadBlock(int layer)
    {
        CheckLayer(layer);
        return (_checkpoint.Transformer ?? throw OnlyAttention()).Blocks[layer].Read();
    }

    public override TransformerWeights ReadTransformer() => (_checkpoint.Transformer ?? throw OnlyAttention()).Read();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _tensors.Dispose();
        }
    }
}
