using System.CommandLine;
using System.Globalization;
using HeadCluster.Benchmarks.Measuring;

namespace HeadCluster.Benchmarks.Silos;

/// <summary>
/// <c>silos</c>: a layer on four in-memory silos against the same on two. They share this machine's cores, so that four can at best be as
/// fast, and what they lose should be what more calls cost.
/// </summary>
internal static class SilosCommand
{
    private static readonly (int Rows, int ModelDim, int Heads)[] Layers = [(11, 48, 3), (128, 768, 12), (512, 768, 12), (1024, 768, 12)];

    public static Command Create()
    {
        var quick = new Option<bool>("--quick") { Description = "Fewer and shorter samples: under a minute." };
        var command = new Command("silos", "Compares four in-memory silos with two.") { quick };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            // Several requests a sample also of the longest: the first after those of the other silos finds its weights in no cache.
            var effort = parsed.GetValue(quick) ? Effort.Quick : Effort.Full with { Pairs = 21, Sample = TimeSpan.FromMilliseconds(250) };
            var calls = effort.WarmUp * 3;
            Console.WriteLine("  rows  width  heads    ms of 4    ms of 2   ratio   calls of 4   calls of 2   more ms   more of calls");
            foreach (var (rows, width, heads) in Layers)
            {
                await using var two = await MemorySilos.StartAsync(2, rows, width, heads, cancellationToken);
                await using var four = await MemorySilos.StartAsync(4, rows, width, heads, cancellationToken);
                if (!two.Attend().Span.SequenceEqual(four.Attend().Span))
                {
                    throw new InvalidOperationException($"{rows}x{width}x{heads}: four silos do not give the bits of two");
                }

                var layer = Pairs.Measure(four.Run, two.Run, effort);
                var (callsOfFour, callsOfTwo) = (CallTime.Measure(four.Run, calls), CallTime.Measure(two.Run, calls));
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{rows,6}{width,7}{heads,7}{layer.Ours * 1e3,11:0.000}{layer.Peer * 1e3,11:0.000}{layer.Ratio,8:0.000}{callsOfFour * 1e3,13:0.000}{callsOfTwo * 1e3,13:0.000}{(layer.Ours - layer.Peer) * 1e3,10:0.000}{(callsOfFour - callsOfTwo) * 1e3,16:0.000}"));
            }
        });
        return command;
    }
}
