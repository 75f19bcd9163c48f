using System.Diagnostics.Metrics;
using System.Net;
using HeadCluster.Grains;
using HeadCluster.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HeadCluster.Tests.Diagnostics;

/// <summary>The instruments of a silo that is only an address.</summary>
internal sealed class Instruments : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public Instruments(SiloAddress silo)
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        var here = new SomeSilo(silo);
        var options = Options.Create(new HeadClusterOptions());
        Heads = new HeadInstruments(meters, here, new LocalGrains(), new SequenceCaches(options, here, TimeProvider.System), options);
        Layers = new LayerInstruments(meters, here);
        Models = new ModelInstruments(meters, here);
    }

    public HeadInstruments Heads { get; }

    public LayerInstruments Layers { get; }

    public ModelInstruments Models { get; }

    public static SiloAddress Silo(int number) => SiloAddress.New(IPAddress.Loopback, 20_000 + number, generation: 7_000 + number);

    public void Dispose() => _services.Dispose();
}
