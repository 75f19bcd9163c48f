using HeadCluster.Models;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Transformer;

/// <summary>The lesson's own trained nano-gpt through the grains, against the values its author recorded.</summary>
public sealed class RecordedNanoSortTests
{
    private const string Name = "nano-sort";

    [Fact]
    public async Task Heads_projection_blocks_and_logits_are_within_1e_5_of_the_recorded_values()
    {
        var partials = RecordedTensors.Partials;
        using var directory = WriteModel();
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, (Name, directory.Path));
        int[] lengths = [11, 11, 11];

        var x = new FloatTensor(partials["ln1"], 33, 48);
        for (var head = 0; head < 3; head++)
        {
            var grain = cluster.Grains.GetGrain<IAttentionHeadGrain>(new HeadId(Name, 0, head).ToString());
            var z = (await grain.AttendAsync(new HeadRequest(x, lengths), TestContext.Current.CancellationToken)).Output;
            var expected = Enumerable.Range(0, 33).SelectMany(row => partials["y"].AsSpan((row * 48) + (head * 16), 16).ToArray());
            Near.All(expected.ToArray(), z.Span, $"head {head}");
        }

        var y = await cluster.Client.AttendAsync(Name, 0, new AttentionRequest(x, lengths, PatternSelection.All), TestContext.Current.CancellationToken);
        Near.All(partials["yProj"], y.Output.Span, "projection");
        var patterns = Enumerable.Range(0, 3).SelectMany(sequence => y.Heads.SelectMany(head => head.Patterns![sequence].Shares.Memory.ToArray()));
        Near.All(partials["attSm"], [.. patterns], "patterns");

        var tokens = Array.ConvertAll(partials["idx"], token => (int)token);
        var result = await cluster.Client.ForwardAsync(Name, new ForwardRequest(tokens, lengths, ForwardCapture.Blocks), TestContext.Current.CancellationToken);
        Near.All(partials["block0"], result.Blocks![0].Span, "block 0");
        Near.All(partials["block1"], result.Blocks[1].Span, "block 1");
        Near.All(partials["block2"], result.Blocks[2].Span, "block 2");
        Near.All(partials["lm_head"], result.Logits.Span, "logits");
    }

    // The recorded checkpoint lacks the biases of c_attn, which the recorded weights have: the weights are written out anew.
    private static TemporaryDirectory WriteModel()
    {
        var weights = RecordedTensors.Model;
        var directory = new TemporaryDirectory();
        File.Copy(Cases.Find("nano-sort", "config.json"), directory.File("config.json"));
        SafetensorsWriter.Write(
            directory.File("model.safetensors"),
            [.. weights.Names.Select(name => new NamedTensor(name, [.. weights.Shape(name).Select(axis => (long)axis)], weights[name]))]);
        return directory;
    }
}
