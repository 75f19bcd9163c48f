namespace HeadCluster.Cli.Trace;

/// <summary>The JSON of <c>trace</c>.</summary>
/// <param name="Model">The model.</param>
/// <param name="Rows">Tokens, or rows of the layer's input.</param>
/// <param name="ElapsedMicroseconds">The whole request as the client saw it.</param>
/// <param name="Layers">The layers that were looked at.</param>
internal sealed record TraceAnswer(string Model, int Rows, double ElapsedMicroseconds, IReadOnlyList<LayerTrace> Layers);
