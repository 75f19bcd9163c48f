using System.Text;
using CsCheck;
using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

public sealed class SafetensorsFileTests : IDisposable
{
    private static readonly Gen<TensorType> Types = Gen.Int[0, 2].Select(choice => TensorFile.Types[choice]);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Rectangle_equals_the_same_part_of_the_whole_and_touches_its_own_bytes()
    {
        var rectangles =
            from rows in Gen.Int[1, 150]
            from columns in Gen.Int[1, 150]
            from firstRow in Gen.Int[0, rows]
            from firstColumn in Gen.Int[0, columns]
            from height in Gen.Int[0, rows - firstRow]
            from width in Gen.Int[0, columns - firstColumn]
            select (rows, columns, new MatrixSlice(firstRow, height, firstColumn, width));
        Gen.Select(rectangles, Types).Sample(
            (rectangle, type) =>
            {
                var (rows, columns, slice) = rectangle;

                // A name of one to eight characters moves the data off and on every alignment.
                var name = new string('m', 1 + (rows % 8));
                using var file = Open(type, new NamedTensor("before", [3], new float[3]), Matrix(name, rows, columns));
                var straight = new float[slice.Rows * slice.Columns];
                file.ReadMatrix(name, slice, straight);
                Assert.Equal((long)straight.Length * TensorFile.Size(type), file.BytesRead);

                var transposed = new float[straight.Length];
                file.ReadMatrix(name, slice, transposed, transpose: true);
                Assert.Equal(2L * straight.Length * TensorFile.Size(type), file.BytesRead);
                for (var r = 0; r < slice.Rows; r++)
                {
                    for (var c = 0; c < slice.Columns; c++)
                    {
                        var expected = Tests.Matrix.Element(7, (int)slice.FirstRow + r, (int)slice.FirstColumn + c);
                        Assert.Equal(expected, straight[(r * slice.Columns) + c]);
                        Assert.Equal(expected, transposed[(c * slice.Rows) + r]);
                    }
                }
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public void Run_equals_the_same_part_of_the_whole_and_touches_its_own_bytes()
    {
        using var file = Open(TensorType.BF16, Matrix("m", 9, 11));
        var whole = file.ReadFloats("m");
        Assert.Equal(99 * 2, file.BytesRead);
        Assert.True(whole.Distinct().Count() > 50);
        var run = new float[20];
        file.ReadFloats("m", 31, run);
        Assert.Equal(whole[31..51], run);
        Assert.Equal((99 + 20) * 2, file.BytesRead);
    }

    [Fact]
    public void Opening_touches_no_tensor()
    {
        using var file = Open(TensorType.F32, Matrix("m", 9, 11));
        Assert.Equal(0, file.BytesRead);
        Assert.Equal([9, 11], file.Tensors["m"].Shape);
        Assert.Equal(99, file.Tensors["m"].ElementCount);
    }

    [Fact]
    public void Scalar_and_empty_tensor_are_read()
    {
        using var file = Open(TensorType.F16, new NamedTensor("scalar", [], new[] { 1.5f }), new NamedTensor("empty", [3, 0], Array.Empty<float>()));
        Assert.Equal([1.5f], file.ReadFloats("scalar"));
        Assert.Empty(file.ReadFloats("empty"));
    }

    [Fact]
    public void Tensor_beyond_two_gibibytes_is_read()
    {
        // A sparse file: 640 Mi elements of which the last row alone is written.
        const long Rows = 640, Columns = 1 << 20, Bytes = Rows * Columns * 4;
        var header = Encoding.UTF8.GetBytes($"{{\"big\":{{\"dtype\":\"F32\",\"shape\":[{Rows},{Columns}],\"data_offsets\":[0,{Bytes}]}}}}");
        var path = _directory.Write("big", TensorFile.Bytes(header, []));
        using (var stream = File.OpenWrite(path))
        {
            stream.SetLength(stream.Length + Bytes);
            stream.Seek(-4, SeekOrigin.End);
            stream.Write(BitConverter.GetBytes(42f));
        }

        using var file = SafetensorsFile.Open(path);
        var corner = new float[4];
        file.ReadMatrix("big", new MatrixSlice(Rows - 2, 2, Columns - 2, 2), corner);
        Assert.Equal([0, 0, 0, 42], corner);
        file.ReadMatrix("big", new MatrixSlice(Rows - 2, 2, Columns - 2, 2), corner, transpose: true);
        Assert.Equal([0, 0, 0, 42], corner);
        file.ReadFloats("big", (Rows * Columns) - 3, corner.AsSpan(0, 3));
        Assert.Equal([0, 0, 42], corner[..3]);
        Assert.Equal(4 * (4 + 4 + 3), file.BytesRead);
    }

    [Fact]
    public void Tensor_larger_than_an_array_is_refused_before_memory_is_taken()
    {
        const long Elements = 3L << 30, Bytes = Elements * 2;
        var path = _directory.Write("huge", TensorFile.Bytes($"{{\"huge\":{{\"dtype\":\"F16\",\"shape\":[{Elements}],\"data_offsets\":[0,{Bytes}]}}}}"));
        using (var stream = File.OpenWrite(path))
        {
            stream.SetLength(stream.Length + Bytes);
        }

        using var file = SafetensorsFile.Open(path);
        var error = Assert.Throws<SafetensorsException>(() => file.ReadFloats("huge"));
        Assert.Equal(SafetensorsErrorKind.TooManyElements, error.Kind);
    }

    [Fact]
    public void Type_that_is_no_float_is_known_but_not_read()
    {
        var header = "{\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}";
        using var file = SafetensorsFile.Open(_directory.Write("file", TensorFile.Bytes(header, new byte[8])));
        Assert.Equal(TensorType.I64, file.Tensors["ids"].Type);
        var error = Assert.Throws<SafetensorsException>(() => file.ReadFloats("ids"));
        Assert.Equal(SafetensorsErrorKind.NotFloat, error.Kind);
        Assert.Contains("'ids' is I64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_outside_of_the_tensor_throws()
    {
        using var file = Open(TensorType.F32, Matrix("m", 4, 5), new NamedTensor("v", [3], new float[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats("m", 18, new float[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats("m", -1, new float[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats("m", long.MaxValue, new float[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadMatrix("m", new(3, 2, 0, 1), new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadMatrix("m", new(0, 1, 4, 2), new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadMatrix("m", new(0, -1, 0, -1), new float[1]));
        Assert.Throws<ArgumentException>(() => file.ReadMatrix("m", new(0, 1, 0, 2), new float[3]));
        Assert.Throws<ArgumentException>(() => file.ReadMatrix("v", new(0, 1, 0, 2), new float[2]));
        Assert.Equal(SafetensorsErrorKind.TensorNotFound, Assert.Throws<SafetensorsException>(() => file.ReadFloats("w")).Kind);
        Assert.Equal(0, file.BytesRead);
    }

    [Fact]
    public void Reads_at_the_same_time_do_not_disturb_each_other()
    {
        using var file = Open(TensorType.F16, Matrix("m", 64, 80));
        var alone = file.ReadFloats("m");
        Parallel.For(0, 640, row =>
        {
            var run = new float[80];
            file.ReadMatrix("m", new(row % 64, 1, 0, 80), run, transpose: row % 2 == 0);
            var first = row % 64 * 80;
            Assert.Equal(alone[first..(first + 80)], run);
        });
        Assert.Equal((64 + 640) * 80 * 2, file.BytesRead);
    }

    [Fact]
    public void Closed_file_refuses_to_be_read_and_what_was_read_stays()
    {
        var file = Open(TensorType.F32, Matrix("m", 4, 5));
        var floats = file.ReadFloats("m");
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.ReadFloats("m"));
        Assert.Equal(Tests.Matrix.Element(7, 3, 4), floats[19]);
    }

    [Fact]
    public void File_that_was_shortened_since_it_was_opened_is_refused()
    {
        using var file = Open(TensorType.F32, Matrix("m", 300, 400));
        File.WriteAllBytes(file.Path, File.ReadAllBytes(file.Path)[..1000]);
        ExpectChanged(file);
    }

    [Fact]
    public void File_that_was_written_to_since_it_was_opened_is_refused()
    {
        using var file = Open(TensorType.BF16, Matrix("m", 30, 40));
        file.ReadFloats("m");
        File.WriteAllBytes(file.Path, TensorFile.Bytes(TensorType.BF16, new NamedTensor("m", [30, 40], new float[1200])));

        // Two writes of one tick of the system's clock look alike.
        File.SetLastWriteTimeUtc(file.Path, File.GetLastWriteTimeUtc(file.Path).AddSeconds(1));
        ExpectChanged(file);
    }

    [Fact]
    public void File_whose_name_another_took_is_still_read()
    {
        using var file = Open(TensorType.F32, Matrix("m", 4, 5));
        File.Move(_directory.Write("other", TensorFile.Bytes(TensorType.F32)), file.Path, overwrite: true);
        Assert.Equal(Tests.Matrix.Element(7, 3, 4), file.ReadFloats("m")[19]);
    }

    private static void ExpectChanged(SafetensorsFile file)
    {
        Action[] reads =
        [
            () => file.ReadFloats("m"),
            () => file.ReadMatrix("m", new(2, 20, 3, 30), new float[600]),
            () => file.ReadMatrix("m", new(2, 20, 3, 30), new float[600], transpose: true),
        ];
        foreach (var read in reads)
        {
            var error = Assert.Throws<SafetensorsException>(read);
            Assert.Equal(SafetensorsErrorKind.Changed, error.Kind);
            Assert.StartsWith($"{file.Path}: has changed since it was opened; restart the silos", error.Message, StringComparison.Ordinal);
        }
    }

    private static NamedTensor Matrix(string name, int rows, int columns) => new(
        name,
        [rows, columns],
        Enumerable.Range(0, rows).SelectMany(r => Enumerable.Range(0, columns).Select(c => Tests.Matrix.Element(7, r, c))).ToArray());

    private SafetensorsFile Open(TensorType type, params NamedTensor[] tensors) =>
        SafetensorsFile.Open(_directory.Write("file.safetensors", TensorFile.Bytes(type, tensors)));
}
