using System.Text.Json.Serialization;
using HeadCluster.Cli.Demo;
using HeadCluster.Cli.Heads;
using HeadCluster.Cli.Patterns;
using HeadCluster.Cli.Trace;

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
[JsonSerializable(typeof(HeadsAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(TraceAnswer))]
internal sealed partial class AnswerJson : JsonSerializerContext;
