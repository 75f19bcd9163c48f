using System.Buffers.Binary;
using CsCheck;
using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

/// <summary>Whatever bytes a file has, opening it gives a file or a <see cref="SafetensorsException"/>, and costs no more than the file.</summary>
public sealed class DamagedFilesTests : IDisposable
{
    private const int Iterations = 3_000;

    // What opening a file takes whatever is in it. An exception with its stack trace takes 33 kB, one caused by another 44 kB.
    private const long FixedAllocation = 1 << 16;

    // What a byte of a file can become. A tensor takes 50 characters of the header at least and becomes some 950 bytes: its
    // lists, names and numbers, and its share of a dictionary that has doubled and of what sorts by offset.
    private const long AllocationPerByte = 20;

    private static readonly (string Name, int Bytes)[] Types = [("F32", 4), ("F16", 2), ("BF16", 2), ("U8", 1), ("F64", 8)];

    // By how much a number of a header is wrong: most are not.
    private static readonly Gen<long> Error =
        Gen.Int[0, 19].Select(choice => choice switch { 0 => 1L, 1 => -1, 2 => 4, 3 => -4, 4 => long.MaxValue / 2, _ => 0 });

    private static readonly byte[] Valid = TensorFile.Bytes(
        TensorType.F32,
        new NamedTensor("first", [2, 3], new float[6]),
        new NamedTensor("läst", [4], new float[4]),
        new NamedTensor("empty", [0, 7], new float[0]));

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Undamaged_file_opens() => Assert.True(Opens(Valid));

    [Fact]
    public void Any_truncation_is_refused()
    {
        for (var length = 0; length < Valid.Length; length++)
        {
            Assert.False(Opens(Valid[..length]), $"{length} of {Valid.Length} bytes");
        }
    }

    [Fact]
    public void Any_bytes_open_or_are_refused() =>
        Gen.Byte.Array[0, 200].Sample(bytes => { Opens(bytes); }, iter: Iterations, threads: 1);

    [Fact]
    public void Any_header_bytes_after_their_right_length_open_or_are_refused() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Byte.Array[0, 20]).Sample(
            (header, data) => { Opens(TensorFile.Bytes(header, data)); }, iter: Iterations, threads: 1);

    [Fact]
    public void Any_header_text_opens_or_is_refused()
    {
        string[] pieces =
        [
            "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\"", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"__metadata__\"", "\"F32\"", "\"F4\"", "0",
            "4", "8", "-1", "1.5", "1e3", "9223372036854775807", "18446744073709551616", "null", "true", " ", "\"\\ud800\"",
            "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}", "\"dtype\":\"U8\"", "\"shape\":[2,2]", "\"data_offsets\":[0,4]",
        ];
        Gen.Int[0, pieces.Length - 1].Array[0, 12]
            .Select(choice => TensorFile.Bytes($"{{{string.Concat(choice.Select(piece => pieces[piece]))}}}", new byte[4]))
            .Sample(bytes => { Opens(bytes); }, iter: Iterations, threads: 1);
    }

    [Fact]
    public void Any_tensors_whose_numbers_do_not_fit_each_other_open_or_are_refused()
    {
        var tensors = Gen.Select(Gen.Int[0, Types.Length - 1], Gen.Int[0, 3].Array[0, 3], Error, Error);
        var (opened, refused) = (0, 0);
        Gen.Select(tensors.Array[1, 3], Error).Sample(
            (choices, cut) =>
            {
                var header = new List<string>();
                var next = 0L;
                foreach (var (index, (type, shape, before, after)) in choices.Index())
                {
                    var (begin, size) = (next + before, shape.Aggregate(1L, (product, axis) => product * axis) * Types[type].Bytes);
                    next = unchecked(begin + size + after);
                    header.Add($"\"{index}\":{{\"dtype\":\"{Types[type].Name}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{begin},{next}]}}");
                }

                var data = new byte[Math.Clamp(next + cut, 0, 1_000)];
                _ = Opens(TensorFile.Bytes($"{{{string.Join(',', header)}}}", data)) ? opened++ : refused++;
            },
            iter: Iterations,
            threads: 1);

        // Both are met often, or the test would test one of them only.
        Assert.True(opened > Iterations / 20 && refused > Iterations / 20, $"{opened} opened and {refused} refused");
    }

    [Fact]
    public void Any_change_of_one_byte_opens_or_is_refused()
    {
        for (var at = 0; at < Valid.Length; at++)
        {
            foreach (var change in (byte[])[1, 2, 16, 32, 128, 255])
            {
                var bytes = (byte[])Valid.Clone();
                bytes[at] ^= change;
                Opens(bytes);
            }
        }
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{\"a\":")]
    public void Deep_nesting_is_refused(string level) =>
        Assert.False(Opens(TensorFile.Bytes(string.Concat(Enumerable.Repeat(level, 100_000)))));

    [Fact]
    public void Long_headers_cost_no_more_than_their_bytes()
    {
        Assert.False(Opens(TensorFile.Bytes($"{{\"a\":{{\"dtype\":\"U8\",\"shape\":[{Repeat("1", 100_000)}],\"data_offsets\":[0,1]}}}}", 0)));
        Assert.True(Opens(TensorFile.Bytes($"{{{string.Join(',', Enumerable.Range(0, 20_000).Select(i => Empty($"{i}")))}}}")));
        Assert.True(Opens(TensorFile.Bytes($"{{{Empty(new string('n', 1_000_000))}}}")));
        Assert.False(Opens(TensorFile.Bytes($"{{\"a\":{Repeat("\"x\"", 100_000)}}}")));

        static string Repeat(string text, int count) => string.Join(',', Enumerable.Repeat(text, count));
        static string Empty(string name) => $"\"{name}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
    }

    private bool Opens(byte[] bytes)
    {
        var path = _directory.Write("damaged.safetensors", bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        SafetensorsFile? file = null;
        try
        {
            file = SafetensorsFile.Open(path);
        }
        catch (SafetensorsException error)
        {
            Assert.DoesNotContain('\n', error.Message);
            Assert.InRange(error.Message.Length, path.Length, path.Length + 400);
        }

        using (file)
        {
            ReadAll(file, bytes);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, FixedAllocation + (bytes.Length * AllocationPerByte));
        return file is not null;
    }

    // What opens can be read: nothing that its header says leads outside of the file.
    private static void ReadAll(SafetensorsFile? file, byte[] bytes)
    {
        foreach (var tensor in file?.Tensors.Values.Where(tensor => tensor.Type.IsReadable()) ?? [])
        {
            Assert.InRange(tensor.End, tensor.Begin, bytes.Length - sizeof(long) - BinaryPrimitives.ReadInt64LittleEndian(bytes));
            Assert.Equal(tensor.ElementCount, file!.ReadFloats(tensor.Name).Length);
        }
    }
}
