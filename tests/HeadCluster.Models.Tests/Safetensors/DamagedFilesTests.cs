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
    // lists, names and numbers, and its share of a dictionary that has doubled and of what sorts by offset. A dimension takes
    // two characters, "1,", and eight bytes of a list that has doubled: 16 bytes a character at most.
    private const long AllocationPerByte = 20;

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
        var number = Choice("0", "1", "2", "3", "4", "6", "8", "12", "16", "24", "9223372036854775807");
        var type = Choice("F32", "F16", "BF16", "U8", "F64", "F4", "BOOL");
        var tensor = Gen.Select(type, number.Array[0, 3], number, number).Select((dtype, shape, begin, end) =>
            $"{{\"dtype\":\"{dtype}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{begin},{end}]}}");
        var opened = 0;
        Gen.Select(tensor.Array[0, 2], Gen.Byte.Array[0, 24]).Sample(
            (tensors, data) =>
            {
                var header = $"{{{string.Join(',', tensors.Index().Select(entry => $"\"{entry.Index}\":{entry.Item}"))}}}";
                opened += Opens(TensorFile.Bytes(header, data)) ? 1 : 0;
            },
            iter: Iterations,
            threads: 1);

        // Both outcomes are met, or the test would test one of them only.
        Assert.InRange(opened, 1, Iterations - 1);
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
        Assert.True(Opens(TensorFile.Bytes($"{{\"a\":{{\"dtype\":\"U8\",\"shape\":[{Repeat("1", 100_000)}],\"data_offsets\":[0,1]}}}}", 0)));
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
        var opened = true;
        try
        {
            using var file = SafetensorsFile.Open(path);
            ReadAll(file);
        }
        catch (SafetensorsException error)
        {
            opened = false;
            Assert.DoesNotContain('\n', error.Message);
            Assert.InRange(error.Message.Length, path.Length, path.Length + 400);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, FixedAllocation + (bytes.Length * AllocationPerByte));
        return opened;
    }

    private static Gen<string> Choice(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    // What opens can be read: nothing that a header says leads outside of the file.
    private static void ReadAll(SafetensorsFile file)
    {
        foreach (var tensor in file.Tensors.Values.Where(tensor => tensor.Type.IsReadable()))
        {
            Assert.Equal(tensor.ElementCount, file.ReadFloats(tensor.Name).Length);
        }
    }
}
