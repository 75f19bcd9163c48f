using HeadCluster.Tests;
namespace HeadCluster.Models.Tests;

public sealed class SafetensorsHeaderTests : IDisposable
{
    private const string A = "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}";
    private const string B = "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("{" + A + "," + B + "}")]
    [InlineData("{" + B + "," + A + "}")]
    [InlineData("{\"__metadata__\":{\"x\":\"y\"}," + A + "," + B + "}")]
    [InlineData("{\"a\":{\"shape\":[4],\"data_offsets\":[0,4],\"dtype\":\"F8_E4M3\",\"note\":[{}]}}")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,4],\"data_offsets\":[0,4]}}")]
    [InlineData("{\"a\":{\"dtype\":\"F4\",\"shape\":[2,4],\"data_offsets\":[0,4]}}")]
    [InlineData("{\"a\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[0,3]},\"b\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[3,4]}}")]
    [InlineData("{\"none\":{\"dtype\":\"F64\",\"shape\":[0,9],\"data_offsets\":[2,2]}," + A + "," + B + "}")]
    public void Header_that_fills_four_bytes_opens(string header)
    {
        using var file = SafetensorsFile.Open(_directory.Write("file", TensorFile.Bytes(header, new byte[4])));
        Assert.Equal(4, file.Tensors.Values.Sum(tensor => tensor.End - tensor.Begin));
    }

    [Theory]
    [InlineData("{" + A + "," + A + "}", SafetensorsErrorKind.InvalidHeaderDeserialization, "'a' is there twice")]
    [InlineData("{" + A + ",\"\\u0061\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "twice")]
    [InlineData("{\"__metadata__\":{},\"__metadata__\":{}," + A + "," + B + "}", SafetensorsErrorKind.InvalidHeaderDeserialization, "twice")]
    [InlineData("{\"__metadata__\":{\"x\":\"\",\"x\":\"\"}," + A + "," + B + "}", SafetensorsErrorKind.InvalidHeaderDeserialization, "twice")]
    [InlineData("{\"__metadata__\":{\"x\":1}," + A + "," + B + "}", SafetensorsErrorKind.InvalidHeaderDeserialization, "'x'")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "dtype of 'a'")]
    [InlineData("{\"a\":{\"dtype\":\"U9\",\"shape\":[4],\"data_offsets\":[0,4]}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "'U9'")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "data_offsets")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,2,4]}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "data_offsets")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[4.0],\"data_offsets\":[0,4]}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "whole numbers")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "whole numbers")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,4],\"data_offsets\":[0,4]}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "shape of 'a' has more than 8")]
    [InlineData("{" + A + "," + B + "} x", SafetensorsErrorKind.InvalidHeaderDeserialization, "JSON")]
    [InlineData("[]", SafetensorsErrorKind.InvalidHeaderDeserialization, "StartArray")]
    [InlineData("", SafetensorsErrorKind.InvalidHeaderDeserialization, "JSON")]
    [InlineData("{" + A + "}", SafetensorsErrorKind.MetadataIncompleteBuffer, "take 2 bytes and the file has 4")]
    [InlineData("{" + B + "}", SafetensorsErrorKind.InvalidOffset, "'b' is at 2…4")]
    [InlineData("{" + A + ",\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[1,4]}}", SafetensorsErrorKind.InvalidOffset, "'b' is at 1…4")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,-1]}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "whole numbers")]
    [InlineData("{" + A + ",\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[2,1]}}", SafetensorsErrorKind.InvalidOffset, "'b'")]
    [InlineData("{\"a\":{\"dtype\":\"U16\",\"shape\":[3],\"data_offsets\":[0,4]}}", SafetensorsErrorKind.TensorInvalidInfo, "take 6")]
    [InlineData("{\"a\":{\"dtype\":\"F4\",\"shape\":[7],\"data_offsets\":[0,4]}}", SafetensorsErrorKind.MisalignedSlice, "28 bits")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296,0],\"data_offsets\":[0,0]}}", SafetensorsErrorKind.ValidationOverflow, "'a'")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,99999999999999999999]}}", SafetensorsErrorKind.ValidationOverflow, "'a'")]
    [InlineData("{\"line\\nbreak\":{}}", SafetensorsErrorKind.InvalidHeaderDeserialization, "'line?break'")]
    public void Header_that_breaks_the_format_is_refused(string header, SafetensorsErrorKind kind, string essential)
    {
        var path = _directory.Write("file", TensorFile.Bytes(header, new byte[4]));
        var error = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
        Assert.Equal(kind, error.Kind);
        Assert.Contains(essential, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_that_is_not_there_is_unreadable()
    {
        Assert.Equal(SafetensorsErrorKind.Unreadable, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(_directory.File("no"))).Kind);
        Assert.Equal(SafetensorsErrorKind.Unreadable, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(_directory.Path)).Kind);
    }
}
