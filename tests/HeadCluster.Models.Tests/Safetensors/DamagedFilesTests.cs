using CsCheck;
using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

/// <summary>Whatever bytes a file has, opening it gives a file or a <see cref="SafetensorsException"/>, and costs no more than the file.</summary>
public sealed class DamagedFilesTests : IDisposable
{
    // What opening a file takes whatever is in it, and what a byte of header can become: a dimension of two characters is eight bytes of a growing list.
    private const long FixedAllocation = 1 << 16;
    private const long AllocationPerByte = 24;

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
        Gen.Byte.Array[0, 200].Sample(bytes => { Opens(bytes); }, threads: 1);

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
            .Sample(bytes => { Opens(bytes); }, threads: 1);
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
}
