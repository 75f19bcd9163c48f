using System.Buffers.Binary;
using System.Text;

namespace HeadCluster.Tests;

/// <summary>Walks the fields of one protobuf message: what tests need of the format, and no more.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    /// <summary>Number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Value of the current field if it is a varint.</summary>
    public long Integer { get; private set; }

    /// <summary>Contents of the current field if it is anything else, four or eight bytes of a number of fixed size included.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    public readonly string Text => Encoding.UTF8.GetString(Bytes);

    public readonly float Float => BinaryPrimitives.ReadSingleLittleEndian(Bytes);

    /// <summary>Goes to the next field.</summary>
    public bool Read()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var tag = Varint();
        Field = (int)(tag >> 3);
        Integer = 0;
        Bytes = default;
        switch (tag & 7)
        {
            case 0:
                Integer = Varint();
                break;
            case 1:
                Bytes = Take(8);
                break;
            case 2:
                Bytes = Take((int)Varint());
                break;
            case 5:
                Bytes = Take(4);
                break;
            default:
                throw new InvalidDataException($"wire type {tag & 7}");
        }

        return true;
    }

    /// <summary>The varints that a packed field, or the current one alone, consists of.</summary>
    public readonly List<long> Integers()
    {
        if (Bytes.IsEmpty)
        {
            return [Integer];
        }

        var values = new List<long>();
        for (var packed = new ProtobufReader(Bytes); !packed._rest.IsEmpty;)
        {
            values.Add(packed.Varint());
        }

        return values;
    }

    private long Varint()
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = Take(1)[0];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return (long)value;
            }
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
