using HeadCluster.Grains;
using HeadCluster.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Patterns;

public sealed class PatternSamplingTests
{
    [Fact]
    public void A_request_that_fits_a_message_only_without_patterns_is_not_sampled()
    {
        // A sequence is 11 rows of 48, and the pattern of each of nine heads 11 by 11 with 48 bytes of what is beside the elements.
        const int Rows = 11 * 48 * sizeof(float);
        const int Patterns = 9 * ((11 * 11 * sizeof(float)) + 48);
        const int Most = WireLimits.MaxPayloadBytes / (Rows + Patterns);
        var options = new HeadClusterOptions();
        (options.Patterns.SampleInterval, options.Patterns.KeptBytes) = (TimeSpan.FromSeconds(1), long.MaxValue);
        var clock = new FakeTimeProvider();
        var sampling = new PatternSampling(grains: null!, new PatternLimits(Options.Create(options)), Options.Create(options), clock);
        var model = NanoGpt.Open().Configuration;

        Assert.NotNull(Sample(Most)!.Patterns);
        Assert.Null(Sample(Most + 1));

        ForwardRequest? Sample(int sequences)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            int[] lengths = [.. Enumerable.Repeat(11, sequences)];
            return sampling.Sample(NanoGpt.Name, model, new ForwardRequest(new int[11 * sequences], lengths), lengths);
        }
    }
}
