using System.Globalization;
using HeadCluster.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.Grains;

/// <summary>The memory that weights may take on this silo. Who loads weights reserves their bytes first.</summary>
internal sealed class WeightMemory
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _reservedByModel = new(StringComparer.Ordinal);
    private readonly long _limit;
    private readonly string _silo;
    private long _reserved;

    public WeightMemory(IOptions<HeadClusterOptions> options, ILocalSiloDetails silo)
    {
        _limit = options.Value.MemoryLimitBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 5 * 4;
        _silo = silo.Name;
    }

    /// <summary>What a model may take here: what is free and what it has already, in bytes.</summary>
    public long AvailableTo(string model)
    {
        lock (_lock)
        {
            return _limit - _reserved + _reservedByModel.GetValueOrDefault(model);
        }
    }

    /// <summary>Reserves memory until the result is disposed.</summary>
    /// <param name="bytes">How much, in bytes.</param>
    /// <param name="model">The model that the weights belong to.</param>
    /// <param name="owner">Whose weights they are, for the error.</param>
    /// <exception cref="HeadClusterException">It is more than is left.</exception>
    public IDisposable Reserve(long bytes, string model, string owner)
    {
        lock (_lock)
        {
            if (bytes > _limit - _reserved)
            {
                throw new HeadClusterException(HeadClusterErrorKind.OutOfMemory, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{owner} needs {bytes:N0} bytes for its weights, but silo {_silo} has {_limit - _reserved:N0} of {_limit:N0} left; raise HeadCluster:MemoryLimitBytes or add silos"));
            }

            Add(bytes, model);
        }

        return new Reservation(this, bytes, model);
    }

    private void Release(long bytes, string model)
    {
        lock (_lock)
        {
            Add(-bytes, model);
        }
    }

    private void Add(long bytes, string model)
    {
        _reserved += bytes;
        _reservedByModel[model] = _reservedByModel.GetValueOrDefault(model) + bytes;
    }

    private sealed class Reservation(WeightMemory memory, long bytes, string model) : IDisposable
    {
        private WeightMemory? _memory = memory;

        public void Dispose() => Interlocked.Exchange(ref _memory, null)?.Release(bytes, model);
    }
}
