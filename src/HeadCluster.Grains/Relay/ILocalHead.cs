using System.Buffers;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace HeadCluster.Grains;

/// <summary>
/// A head as its neighbours on the same silo call it: rows that are still arriving, and a place for z, both by reference.
/// </summary>
[Alias("hc.ILocalHead")]
internal interface ILocalHead : IGrainWithStringKey
{
    /// <summary>Computes z into the place that the request names.</summary>
    /// <exception cref="HeadElsewhereException">The head is on another silo, to which the request cannot be sent.</exception>
    [Alias("AttendAsync"), ResponseTimeout("00:10:00")]
    Task<HeadReport> AttendAsync(LocalHeadRequest request, CancellationToken cancellationToken = default);
}

/// <summary>What all heads of a layer are asked alike.</summary>
/// <param name="Rows">x, all of it or still arriving.</param>
/// <param name="SequenceLengths">Rows of each sequence.</param>
/// <param name="Patterns">Which heads' reports carry their attention patterns; null for none.</param>
/// <param name="Turn">The request's turn on the compute threads of this silo.</param>
/// <param name="Together">Of how many heads the outputs are of use only together.</param>
internal sealed record LayerInput(ArrivingRows Rows, int[] SequenceLengths, PatternSelection? Patterns, long Turn, int Together = 1);

/// <summary>Asks a head of this silo for its output. It cannot be sent to another silo.</summary>
/// <param name="Input">x and how to attend.</param>
/// <param name="Output">Where z belongs.</param>
[Immutable]
internal sealed record LocalHeadRequest(LayerInput Input, HeadColumns Output);

/// <summary>A call that only works on one silo was about to leave it: the head has just moved.</summary>
[GenerateSerializer, Alias("hc.HeadElsewhereException")]
internal sealed class HeadElsewhereException() : Exception("the head is on another silo");

/// <summary>Orleans serializes what it sends to another silo: the place to notice that a local call is about to leave.</summary>
[RegisterSerializer]
internal sealed class LocalHeadRequestCodec : IFieldCodec<LocalHeadRequest>
{
    /// <inheritdoc/>
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, LocalHeadRequest? value)
        where TBufferWriter : IBufferWriter<byte> => throw new HeadElsewhereException();

    /// <inheritdoc/>
    public LocalHeadRequest ReadValue<TInput>(ref Reader<TInput> reader, Field field) => throw new HeadElsewhereException();
}
