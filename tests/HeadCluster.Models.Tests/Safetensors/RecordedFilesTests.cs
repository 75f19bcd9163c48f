using System.Text.Json;
using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

public class RecordedFilesTests
{
    public static TheoryData<string> Files => [.. Directory.Exists(Folder)
        ? Manifest().EnumerateArray().Select(entry => entry.GetProperty("file").GetString()!)
        : ["(none)"]];

    private static string Folder => Path.Combine(Environment.GetEnvironmentVariable(Cases.Variable) ?? "", "safetensors-format");

    [Theory]
    [MemberData(nameof(Files))]
    public void Recorded_file_opens_or_fails_as_its_manifest_says(string file)
    {
        var path = Cases.Find("safetensors-format", file);
        var expected = Manifest().EnumerateArray().Single(entry => entry.GetProperty("file").GetString() == file).GetProperty("expect").GetString()!;
        Assert.Equal(expected, Outcome(path));
    }

    [Fact]
    public void Manifest_names_every_recorded_file()
    {
        var folder = Cases.Find("safetensors-format");
        Assert.Equal(Directory.GetFiles(folder, "*.safetensors").Length, Manifest().GetArrayLength());
    }

    private static string Outcome(string path)
    {
        try
        {
            using var file = SafetensorsFile.Open(path);
            return "ok";
        }
        catch (SafetensorsException error)
        {
            Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
            return $"error:{error.Kind}";
        }
    }

    private static JsonElement Manifest()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "manifest.json")));
        return json.RootElement.GetProperty("cases").Clone();
    }
}
