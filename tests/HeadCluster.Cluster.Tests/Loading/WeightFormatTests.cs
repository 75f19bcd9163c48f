using HeadCluster.Models;
using HeadCluster.Models.Tests;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Loading;

/// <summary>Weights stay in memory as they are stored: half the bytes, and no other bit in the answer.</summary>
public sealed class WeightFormatTests
{
    private const int Width = 48;

    [Theory]
    [InlineData(nameof(TensorType.BF16))]
    [InlineData(nameof(TensorType.F16))]
    public async Task A_half_precision_checkpoint_takes_half_the_memory_and_gives_the_bits_of_its_float32_twin(string type)
    {
        using var half = Checkpoint(Enum.Parse<TensorType>(type));
        using var full = Checkpoint(TensorType.F32);
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, ("half", half.Path), ("full", full.Path));

        var x = Matrices.Random(11, Width);
        var expected = await cluster.Client.AttendAsync("full", 0, x, TestContext.Current.CancellationToken);
        var actual = await cluster.Client.AttendAsync("half", 0, x, TestContext.Current.CancellationToken);
        Assert.Equal(expected.Output.Span, actual.Output.Span);

        var heads = (await cluster.Client.StatusAsync(TestContext.Current.CancellationToken)).Heads.ToLookup(head => head.Head.Model, head => head.WeightBytes);
        Assert.InRange(heads["half"].Sum() / (double)heads["full"].Sum(), 0.5, 0.55);
    }

    // Multiples of 1/64 below 2: seven binary digits, which every format holds exactly.
    private static TemporaryDirectory Checkpoint(TensorType type)
    {
        var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("config.json"), """{"embed_dim": 48, "num_heads": 3}""");
        NamedTensor[] tensors = [Tensor("in_proj_weight", 3 * Width), Tensor("out_proj.weight", Width)];
        directory.Write("model.safetensors", TensorFile.Bytes(type, tensors));
        return directory;
    }

    private static NamedTensor Tensor(string name, int rows) =>
        new(name, [rows, Width], Array.ConvertAll(Matrices.Random(rows, Width).Span.ToArray(), value => MathF.Round(value * 64) / 64));
}
