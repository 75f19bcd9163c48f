using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using HeadCluster.Diagnostics;

namespace HeadCluster.Tests.Diagnostics;

/// <summary>What HeadCluster's meter measures on one silo.</summary>
internal sealed class Measurements<T> : IDisposable
    where T : struct
{
    private readonly ConcurrentQueue<Measured> _all = new();
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
                var parts = new[]
                {
                    instrument.Name,
                    instrument.Unit,
                    all.GetValueOrDefault(HeadClusterTelemetry.ModelTag),
                    all.GetValueOrDefault(HeadClusterTelemetry.LayerTag),
                };
                _all.Enqueue(new Measured(string.Join(' ', parts.Where(part => part is not null)), value, all));
            }
        });
        _listener.Start();
    }

    public IReadOnlyCollection<Measured> All => _all;

    public IReadOnlyList<T> Of(string name) => [.. _all.Where(measurement => measurement.Name == name).Select(measurement => measurement.Value)];

    /// <summary>Asks the instruments that are asked.</summary>
    public void Observe() => _listener.RecordObservableInstruments();

    public void Dispose() => _listener.Dispose();

    /// <param name="Name">Name, unit and, where there are such tags, model and layer.</param>
    /// <param name="Value">The value.</param>
    /// <param name="Tags">All tags.</param>
    public sealed record Measured(string Name, T Value, IReadOnlyDictionary<string, object?> Tags);
}
