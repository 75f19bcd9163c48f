using System.Text.Json.Serialization;
using HeadCluster.Cli.Demo;
using HeadCluster.Cli.Patterns;

namespace HeadCluster.Cli.Commands;

/// <summary>The JSON answers of all commands, compiled: a command answers before reflection would have warmed up.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(AttendAnswer))]
[JsonSerializable(typeof(DemoAnswer))]
[JsonSerializable(typeof(GenerateAnswer))]
[JsonSerializable(typeof(HeadScoresAnswer))]
[JsonSerializable(typeof(MovesAnswer))]
[JsonSerializable(typeof(PlanAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
internal sealed partial class AnswerJson : JsonSerializerContext;
