namespace HeadCluster.Models;

/// <summary>Which axis of a stored weight matrix comes first.</summary>
internal enum WeightOrder
{
    /// <summary><c>[in, out]</c>, y = x W + b: GPT-2's Conv1D.</summary>
    InputsFirst,

    /// <summary><c>[out, in]</c>, y = x Wᵀ + b: PyTorch's Linear.</summary>
    OutputsFirst,
}

/// <summary>A linear layer in a file, or a run of its outputs: one of the parts of a fused q/k/v projection.</summary>
/// <param name="Weights">The matrix.</param>
/// <param name="Bias">The bias of all of the matrix's outputs, or null for none.</param>
/// <param name="Order">Which axis of the matrix comes first.</param>
/// <param name="Inputs">Inputs of the layer.</param>
/// <param name="FirstOutput">The matrix's output that is this layer's first.</param>
/// <param name="Outputs">Outputs of the layer.</param>
internal sealed record StoredLinear(StoredTensor Weights, StoredTensor? Bias, WeightOrder Order, int Inputs, int FirstOutput, int Outputs)
{
    /// <summary>Finds <c>{name}.weight</c> and perhaps <c>{name}.bias</c>.</summary>
    public static StoredLinear Take(TensorCatalog tensors, string name, WeightOrder order, int inputs, int outputs) =>
        Take(tensors, $"{name}.weight", $"{name}.bias", order, inputs, outputs);

    /// <summary>Finds a matrix and perhaps a bias.</summary>
    public static StoredLinear Take(TensorCatalog tensors, string weights, string bias, WeightOrder order, int inputs, int outputs) => new(
        order == WeightOrder.InputsFirst ? tensors.Take(weights, inputs, outputs) : tensors.Take(weights, outputs, inputs),
        tensors.TakeOptional(bias, outputs),
        order,
        inputs,
        FirstOutput: 0,
        outputs);

    /// <summary>The layer of some of the outputs.</summary>
    public StoredLinear Part(int firstOutput, int outputs) => this with { FirstOutput = FirstOutput + firstOutput, Outputs = outputs };

    /// <summary>Reads the layer's bias, and only that; its weights when they are asked for.</summary>
    public LinearWeights Read() => new(Inputs, Outputs, Order, ReadWeights, Bias?.Read(FirstOutput, Outputs));

    private void ReadWeights(MatrixSlice slice, Span<float> destination)
    {
        var (firstOutput, outputs) = (FirstOutput + slice.FirstColumn, slice.Columns);
        if (Order == WeightOrder.InputsFirst)
        {
            Weights.Read(slice with { FirstColumn = firstOutput }, destination, transpose: false);
        }
        else
        {
            Weights.Read(new MatrixSlice(firstOutput, outputs, slice.FirstRow, slice.Rows), destination, transpose: true);
        }
    }
}
