using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using HeadCluster.Diagnostics;

namespace HeadCluster.Tests.Diagnostics;

/// <summary>What HeadCluster's meter measures on one silo, each as name, unit, model and layer with its value.</summary>
internal sealed class Measurements<T> : IDisposable
    where T : struct
{
    private readonly ConcurrentQueue<(string Name, T Value)> _all = new();
    private readonly MeterListener _listener;

    public Measurements(SiloAddress silo)
    {
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == HeadClusterTelemetry.MeterName)
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        _listener.SetMeasurementEventCallback<T>((instrument, value, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value);
            if (silo.ToParsableString().Equals(all[HeadClusterTelemetry.SiloTag]))
            {
                _all.Enqueue(($"{instrument.Name} {instrument.Unit} {all[HeadClusterTelemetry.ModelTag]} {all[HeadClusterTelemetry.LayerTag]}", value));
            }
        });
        _listener.Start();
    }

    public IReadOnlyCollection<(string Name, T Value)> All => _all;

    public IReadOnlyList<T> Of(string name) => [.. _all.Where(measurement => measurement.Name == name).Select(measurement => measurement.Value)];

    public void Dispose() => _listener.Dispose();
}
