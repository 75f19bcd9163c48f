using CsCheck;
using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Whatever_is_written_is_read_back()
    {
        var tensors =
            from shape in Gen.Long[0, 7].Array[0, 3]
            from values in Gen.Float.Array[(int)shape.Aggregate(1L, (product, dimension) => product * dimension)]
            select (shape, values);
        Gen.Select(Gen.Dictionary(Gen.String, tensors)[0, 5], Gen.Dictionary(Gen.String, Gen.String)[0, 3]).Sample(
            (written, metadata) =>
            {
                written.Remove("__metadata__");
                var path = _directory.File("file.safetensors");
                SafetensorsWriter.Write(path, [.. written.Select(entry => new NamedTensor(entry.Key, entry.Value.shape, entry.Value.values))], metadata);
                using var file = SafetensorsFile.Open(path);
                Assert.Equal(metadata, file.Metadata);
                Assert.Equal(written.Count, file.Tensors.Count);
                foreach (var (name, (shape, values)) in written)
                {
                    Assert.Equal(shape, file.Tensors[name].Shape);
                    Assert.Equal(values.Select(BitConverter.SingleToUInt32Bits), file.ReadFloats(name).Select(BitConverter.SingleToUInt32Bits));
                }
            },
            threads: 1);
    }

    [Fact]
    public void Data_begins_at_a_multiple_of_eight()
    {
        for (var length = 1; length <= 16; length++)
        {
            var path = _directory.File("file.safetensors");
            SafetensorsWriter.Write(path, [new(new string('n', length), [1], new[] { 1f })]);
            Assert.Equal(0, (new FileInfo(path).Length - 4) % 8);
        }
    }

    [Fact]
    public void Tensor_longer_than_the_buffer_is_written_whole()
    {
        var values = Enumerable.Range(0, 100_003).Select(i => (float)i).ToArray();
        SafetensorsWriter.Write(_directory.File("file"), [new("n", [100_003], values)]);
        using var file = SafetensorsFile.Open(_directory.File("file"));
        Assert.Equal(values, file.ReadFloats("n"));
    }

    [Fact]
    public void Shape_that_does_not_fit_or_name_that_is_taken_throws()
    {
        Assert.Throws<ArgumentException>(() => Write(new NamedTensor("n", [2, 2], new float[3])));
        Assert.Throws<ArgumentException>(() => Write(new NamedTensor("n", [-1, -3], new float[3])));
        Assert.Throws<ArgumentException>(() => Write(new NamedTensor("__metadata__", [3], new float[3])));
        Assert.Throws<ArgumentException>(() => Write(new NamedTensor("n", [3], new float[3]), new NamedTensor("n", [3], new float[3])));
    }

    private void Write(params NamedTensor[] tensors) => SafetensorsWriter.Write(_directory.File("file"), tensors);
}
