using System.Text.Json.Serialization;

namespace HeadCluster.Scheduling;

/// <summary>What the file of <see cref="PinnedStrategy"/> says.</summary>
/// <param name="Coordinator">Name of the silo that coordinates; null for none in particular.</param>
/// <param name="Heads">Name of a silo by layer/head, layer/* or *.</param>
internal sealed record PinnedFile(string? Coordinator, Dictionary<string, string>? Heads);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip,
    AllowTrailingCommas = true)]
[JsonSerializable(typeof(PinnedFile))]
internal sealed partial class PinnedJson : JsonSerializerContext;
