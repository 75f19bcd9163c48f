using System.Buffers;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Session;

namespace HeadCluster.Tests.Tensors;

/// <summary>A tensor on the wire.</summary>
public sealed class FloatTensorCodecTests
{
    private static readonly ServiceProvider Services =
        new ServiceCollection().AddSerializer(builder => builder.AddAssembly(typeof(FloatTensor).Assembly)).BuildServiceProvider();

    private static readonly Serializer Serializer = Services.GetRequiredService<Serializer>();

    private static readonly Gen<FloatTensor> AnyTensor =
        from shape in Gen.Int[0, 5].Array[0, 5]
        from values in Gen.Int.Select(BitConverter.Int32BitsToSingle).Array[shape.Aggregate(1, (product, axis) => product * axis)]
        select new FloatTensor(values, shape);

    [Fact]
    public void Any_tensor_comes_back_with_its_shape_and_its_bits() => AnyTensor.Sample(tensor =>
    {
        var back = Serializer.Deserialize<FloatTensor>(Serializer.SerializeToArray(tensor));
        Assert.Equal(tensor.Shape, back!.Shape);
        Assert.Equal(Bits(tensor), Bits(back));
    });

    [Fact]
    public void A_rounded_tensor_comes_back_with_its_precision_and_its_bits_and_takes_2_bytes_an_element() => AnyTensor.Sample(tensor =>
    {
        var rounded = tensor.RoundTo(WirePrecision.BFloat16);
        var bytes = Serializer.SerializeToArray(rounded);
        var back = Serializer.Deserialize<FloatTensor>(bytes);
        Assert.Equal(WirePrecision.BFloat16, back!.Precision);
        Assert.Equal(rounded.Shape, back.Shape);
        Assert.Equal(Bits(rounded), Bits(back));
        Assert.Equal(Serializer.SerializeToArray(tensor).Length - (2 * tensor.Length), bytes.Length, tolerance: 2);
    });

    [Fact]
    public void Rows_of_a_rounded_tensor_travel_rounded()
    {
        var rows = Matrices.Random(100, 48).RoundTo(WirePrecision.BFloat16).RowRange(10, 80);
        var bytes = Serializer.SerializeToArray(rows);
        Assert.InRange(bytes.Length, 80 * 48 * 2, (80 * 48 * 2) + 64);
        Assert.Equal(Bits(rows), Bits(Serializer.Deserialize<FloatTensor>(bytes)!));
    }

    [Fact]
    public void A_tensor_takes_4_bytes_an_element_and_little_more()
    {
        var bytes = Serializer.SerializeToArray(Matrices.Random(100, 48));
        Assert.InRange(bytes.Length, 100 * 48 * 4, (100 * 48 * 4) + 64);
    }

    [Fact]
    public void A_tensor_that_is_sent_twice_in_a_message_travels_once()
    {
        var tensor = Matrices.Random(10, 10);
        var bytes = Serializer.SerializeToArray(new ForwardResult(tensor, [], [tensor, tensor]));
        Assert.InRange(bytes.Length, 400, 500);
        var back = Serializer.Deserialize<ForwardResult>(bytes)!;
        Assert.Same(back.Logits, back.Blocks![1]);
    }

    [Fact]
    public void No_tensor_is_a_tensor_too() => Assert.Null(Serializer.Deserialize<FloatTensor?>(Serializer.SerializeToArray<FloatTensor?>(null)));

    [Fact]
    public void Damaged_bytes_are_an_error_and_allocate_no_more_than_they_are() =>
        Gen.Select(AnyTensor, Gen.Enum<WirePrecision>(), Gen.Int[0, 200], Gen.Byte, Gen.Bool).Sample((exact, precision, position, value, truncate) =>
        {
            var tensor = exact.RoundTo(precision);
            var bytes = Serializer.SerializeToArray(tensor);
            position %= bytes.Length;
            if (truncate)
            {
                bytes = bytes[..position];
            }
            else
            {
                bytes[position] = value;
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Record.Exception(() => Serializer.Deserialize<FloatTensor>(bytes));

            // An exception with its stack trace takes some tens of kilobytes; a wrong length could have taken gigabytes.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);

            // Another byte may be another tensor, but a part of one is none.
            Assert.True(error is not null || !truncate);
        });

    [Fact]
    public void A_shape_that_lies_together_with_the_length_before_it_is_refused_before_anything_is_allocated()
    {
        var bytes = Serializer.SerializeToArray(new FloatTensor([1, 2, 3], 1, 3));
        var at = bytes.AsSpan().IndexOf(new byte[] { 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0 });
        var lying = new ArrayBufferWriter<byte>();
        using (var session = Services.GetRequiredService<SerializerSessionPool>().GetSession())
        {
            var writer = Writer.Create(lying, session);

            // All before the one byte of the length.
            writer.Write(bytes.AsSpan(0, at - 1));
            writer.WriteVarUInt32((3 * sizeof(int)) + ((1 << 26) * sizeof(float)));
            writer.WriteInt32(2);
            writer.WriteInt32(1 << 13);
            writer.WriteInt32(1 << 13);
            writer.Write(bytes.AsSpan(at + (3 * sizeof(int))));
            writer.Commit();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.ThrowsAny<Exception>(() => Serializer.Deserialize<FloatTensor>(lying.WrittenMemory));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);
    }

    [Theory]
    [InlineData(new[] { 1 << 20, 1 << 20 })]
    [InlineData(new[] { -1, 4 })]
    [InlineData(new[] { 2, 2 })]
    public void A_shape_that_its_bytes_do_not_fill_is_refused_before_anything_is_allocated(int[] shape)
    {
        var bytes = Serializer.SerializeToArray(new FloatTensor([1, 2, 3], 1, 3));
        var at = bytes.AsSpan().IndexOf(new byte[] { 1, 0, 0, 0, 3, 0, 0, 0 });
        BitConverter.TryWriteBytes(bytes.AsSpan(at), shape[0]);
        BitConverter.TryWriteBytes(bytes.AsSpan(at + 4), shape[1]);

        var error = Assert.Throws<InvalidDataException>(() => Serializer.Deserialize<FloatTensor>(bytes));
        Assert.Contains("not a tensor", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_is_read_across_the_segments_of_a_message()
    {
        var tensor = Matrices.Random(7, 9);
        var bytes = Serializer.SerializeToArray(tensor);
        var first = new Segment(bytes.AsMemory(0, 11));
        var last = first.Append(bytes.AsMemory(11, 50)).Append(bytes.AsMemory(61));

        using var session = Services.GetRequiredService<SerializerSessionPool>().GetSession();
        var reader = Reader.Create(new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length), session);
        var back = Services.GetRequiredService<Serializer<FloatTensor>>().Deserialize(ref reader)!;

        Assert.Equal(tensor.Span, back.Span);
    }

    [Fact]
    public void The_same_object_is_passed_where_no_wire_is_between()
    {
        var tensor = Matrices.Random(2, 2);
        Assert.Same(tensor, Services.GetRequiredService<DeepCopier>().Copy(tensor));
    }

    private static uint[] Bits(FloatTensor tensor) => Array.ConvertAll(tensor.Memory.ToArray(), BitConverter.SingleToUInt32Bits);

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
