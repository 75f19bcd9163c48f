using System.Runtime.InteropServices;
using Google.Protobuf;

namespace HeadCluster.Benchmarks.Onnx;

/// <summary>Writes an ONNX model: the few fields of onnx.proto that an attention layer needs.</summary>
internal sealed class OnnxModel
{
    private const int Float = 1;
    private readonly List<byte[]> _nodes = [];
    private readonly List<byte[]> _weights = [];

    /// <summary>A weight matrix that the engine may pack when it opens the model.</summary>
    /// <param name="name">Name of the tensor.</param>
    /// <param name="values"><c>[rows, columns]</c>, row-major.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    public void AddWeights(string name, float[] values, int rows, int columns) => _weights.Add(Message(tensor =>
    {
        Varint(tensor, 1, rows);
        Varint(tensor, 1, columns);
        Varint(tensor, 2, Float);
        Text(tensor, 8, name);
        Bytes(tensor, 9, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
    }));

    /// <summary>One operation.</summary>
    public void AddNode(string operation, string domain, string[] inputs, string output, params (string Name, long Value)[] attributes) =>
        _nodes.Add(Message(node =>
        {
            Array.ForEach(inputs, input => Text(node, 1, input));
            Text(node, 2, output);
            Text(node, 4, operation);
            foreach (var (name, value) in attributes)
            {
                Bytes(node, 5, Message(attribute =>
                {
                    Text(attribute, 1, name);
                    Varint(attribute, 3, value);
                    Varint(attribute, 20, 2); // an integer
                }));
            }

            Text(node, 7, domain);
        }));

    /// <summary>The model as the bytes of a file.</summary>
    /// <param name="input">Name of the input.</param>
    /// <param name="output">Name of the output.</param>
    /// <param name="shape">Shape of both.</param>
    public byte[] Write(string input, string output, params int[] shape)
    {
        var graph = Message(message =>
        {
            _nodes.ForEach(node => Bytes(message, 1, node));
            Text(message, 2, "layer");
            _weights.ForEach(tensor => Bytes(message, 5, tensor));
            Bytes(message, 11, Value(input, shape));
            Bytes(message, 12, Value(output, shape));
        });
        return Message(model =>
        {
            Varint(model, 1, 8);
            Bytes(model, 7, graph);
            Bytes(model, 8, OperatorSet("", 17));
            Bytes(model, 8, OperatorSet("com.microsoft", 1));
        });
    }

    private static byte[] OperatorSet(string domain, int version) => Message(set =>
    {
        Text(set, 1, domain);
        Varint(set, 2, version);
    });

    private static byte[] Value(string name, int[] shape)
    {
        var dimensions = Message(message => Array.ForEach(shape, size => Bytes(message, 1, Message(dimension => Varint(dimension, 1, size)))));
        var tensor = Message(message =>
        {
            Varint(message, 1, Float);
            Bytes(message, 2, dimensions);
        });
        return Message(value =>
        {
            Text(value, 1, name);
            Bytes(value, 2, Message(type => Bytes(type, 1, tensor)));
        });
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var memory = new MemoryStream();
        using (var stream = new CodedOutputStream(memory, leaveOpen: true))
        {
            write(stream);
        }

        return memory.ToArray();
    }

    private static void Varint(CodedOutputStream stream, int field, long value)
    {
        stream.WriteTag(field, WireFormat.WireType.Varint);
        stream.WriteInt64(value);
    }

    private static void Text(CodedOutputStream stream, int field, string value)
    {
        stream.WriteTag(field, WireFormat.WireType.LengthDelimited);
        stream.WriteString(value);
    }

    private static void Bytes(CodedOutputStream stream, int field, byte[] value)
    {
        stream.WriteTag(field, WireFormat.WireType.LengthDelimited);
        stream.WriteBytes(UnsafeByteOperations.UnsafeWrap(value));
    }
}
