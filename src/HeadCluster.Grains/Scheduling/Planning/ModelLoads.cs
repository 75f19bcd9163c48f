using HeadCluster.Grains;
using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Scheduling;

/// <summary>What the heads and coordinators of a model cost, by its sizes.</summary>
public static class ModelLoads
{
    /// <summary>The heads of every layer, ordered by layer, then by head.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="configuration">Its sizes.</param>
    /// <param name="request">The requests to plan for: one sequence.</param>
    /// <exception cref="HeadClusterException">The request has no rows.</exception>
    public static HeadLoad[] Heads(string model, ModelConfiguration configuration, RequestShape request)
    {
        var rows = Rows(request);
        var shape = configuration.HeadShape();
        var weights = PackedMatrix.SizeOf(shape.ModelDim, shape.ProjectionDim, configuration.WeightFormat());

        // A decode step reads the keys and values of all positions, which stay with the head; a prompt makes its own.
        var decode = request.Phase == RequestPhase.Decode;
        var state = decode ? sizeof(float) * (long)request.Rows * (shape.HeadDim + shape.ValueDim) : 0;
        var attend = (double)shape.AttendOperations(rows, request.Rows) / (configuration.Causal && !decode ? 2 : 1);
        var output = sizeof(float) * (long)rows * shape.OutputDim;
        var heads = new HeadLoad[configuration.LayerCount * configuration.KvHeadCount];
        for (var head = 0; head < heads.Length; head++)
        {
            var (layer, index) = Math.DivRem(head, configuration.KvHeadCount);
            heads[head] = new HeadLoad(
                new HeadId(model, layer, index), weights, state, shape.ProjectOperations(rows) + attend, weights + state, output);
        }

        return heads;
    }

    /// <summary>Floating-point operations of one head for whole sequences; what a causal mask leaves out is not computed.</summary>
    /// <param name="configuration">The model's sizes.</param>
    /// <param name="sequenceLengths">Rows of each sequence.</param>
    public static double Operations(ModelConfiguration configuration, ReadOnlySpan<int> sequenceLengths)
    {
        var shape = configuration.HeadShape();
        var operations = 0.0;
        foreach (var length in sequenceLengths)
        {
            operations += shape.ProjectOperations(length) + ((double)shape.AttendOperations(length, length) / (configuration.Causal ? 2 : 1));
        }

        return operations;
    }

    /// <summary>The coordinators of all layers and, of a whole GPT, all that is not attention.</summary>
    /// <param name="configuration">The model's sizes.</param>
    /// <param name="request">The requests to plan for: one sequence.</param>
    /// <exception cref="HeadClusterException">The request has no rows.</exception>
    public static CoordinatorLoad Coordinator(ModelConfiguration configuration, RequestShape request)
    {
        double rows = Rows(request);
        var format = configuration.WeightFormat();
        var (width, concatenated) = (configuration.ModelDim, configuration.HeadCount * configuration.ValueDim);
        var projection = PackedMatrix.SizeOf(concatenated, width, format);
        var load = new CoordinatorLoad(
            configuration.LayerCount * projection,
            InputBytes: sizeof(float) * (long)rows * width,
            LayerOperations: 0,
            LayerReadBytes: 0,
            RequestOperations: 0,
            RequestReadBytes: 0,
            ProjectionOperations: 2 * rows * concatenated * width,
            ProjectionReadBytes: projection);
        if (configuration.Transformer is not { } transformer)
        {
            return load;
        }

        var feedForward = PackedMatrix.SizeOf(width, transformer.FeedForwardDim, format) + PackedMatrix.SizeOf(transformer.FeedForwardDim, width, format);
        return load with
        {
            WeightBytes = load.WeightBytes + TransformerBody.SizeOf(configuration),
            LayerOperations = 4 * rows * width * transformer.FeedForwardDim,
            LayerReadBytes = feedForward,
            RequestOperations = 2 * rows * width * transformer.VocabularySize,
            RequestReadBytes = PackedMatrix.SizeOf(width, transformer.VocabularySize, format),
        };
    }

    // Rows that are computed.
    private static int Rows(RequestShape request) => request.Rows < 1
        ? throw HeadClusterException.InvalidInput($"requests of {request.Rows} rows cannot be planned for; expected 1 or more")
        : request.Phase == RequestPhase.Decode ? 1 : request.Rows;
}
