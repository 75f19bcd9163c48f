using System.Globalization;
using System.Text.Json.Serialization;
using HeadCluster.Models;

namespace HeadCluster.Cli.Bench;

/// <summary>One attention layer, and how many rows it is given.</summary>
/// <param name="Rows">Rows of x, one sequence.</param>
/// <param name="ModelDim">Width.</param>
/// <param name="Heads">Heads of ModelDim ÷ Heads each.</param>
internal sealed record BenchShape(int Rows, int ModelDim, int Heads)
{
    /// <summary>What is measured unless asked otherwise: from where only the calls count to where only the kernels do.</summary>
    public static IReadOnlyList<BenchShape> Default { get; } =
        [new(11, 48, 3), new(128, 768, 12), new(512, 768, 12), new(1024, 768, 12), new(1024, 2048, 32)];

    /// <summary>The built-in model of one such layer, causal as gpt2-small is.</summary>
    [JsonIgnore]
    public string Model => string.Create(
        CultureInfo.InvariantCulture,
        $"{ModelLocation.RandomPrefix}gpt2-small?layers=1&model_dim={ModelDim}&heads={Heads}&head_dim={HeadDim}&positions={Rows}");

    [JsonIgnore]
    public LayerId Layer => new(Model, 0);

    private int HeadDim => ModelDim / Heads;

    /// <summary>Reads a shape such as <c>11x48x3</c>.</summary>
    /// <exception cref="HeadClusterException">The text is not one.</exception>
    public static BenchShape Parse(string text)
    {
        var numbers = Array.ConvertAll(
            text.Split('x'), part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0);
        return numbers is [> 0 and var rows, > 0 and var width, > 0 and var heads] && width % heads == 0
            ? new BenchShape(rows, width, heads)
            : throw HeadClusterException.InvalidInput(
                $"'{text}' is not the shape of a layer; expected rows x width x heads, such as {Default[0]}, with heads that divide the width");
    }

    /// <summary>The silo of each head if they are spread evenly, in groups that follow each other, the first where the coordinator is.</summary>
    public int[] EvenPlaces(int silos) => [.. Enumerable.Range(0, Heads).Select(head => (int)((long)head * silos / Heads))];

    /// <summary>The bytes that must cross the network: x to each remote silo that has heads, and z of the heads there.</summary>
    public long IdealBytes(int silos)
    {
        var remote = EvenPlaces(silos).Where(silo => silo != 0).ToArray();
        return sizeof(float) * (long)Rows * (((long)ModelDim * remote.Distinct().Count()) + ((long)HeadDim * remote.Length));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rows}x{ModelDim}x{Heads}");
}
