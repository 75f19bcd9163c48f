using HeadCluster.Silo;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Bench;

/// <summary>Measures layers from within a silo's process.</summary>
internal sealed class SiloWorker
{
    private readonly IServiceProvider _silo;
    private LayerMeasurement? _layer;

    public SiloWorker(IServiceProvider silo) => _silo = silo;

    public async Task<WorkerAnswer> ServeAsync(WorkerRequest request, CancellationToken cancellationToken)
    {
        try
        {
            if (request.Task == WorkerTask.Prepare)
            {
                _layer = await PrepareAsync(request, cancellationToken);
            }

            var layer = _layer ?? throw new BenchFailure("nothing was prepared");
            var calls = request.Task switch
            {
                WorkerTask.Attend => await layer.RunAsync(layer.AttendAsync, request.Amount, cancellationToken),
                WorkerTask.Compare => await layer.RunAsync(layer.CompareAsync, request.Amount, cancellationToken),
                _ => [],
            };
            return new WorkerAnswer(Error: null, layer.Sha256, calls, request.Task == WorkerTask.Plan ? await layer.PlanAsync(cancellationToken) : null);
        }
        catch (Exception exception) when ((exception as BenchFailure)?.Message is { } || Complaint.About(exception) is { })
        {
            return new WorkerAnswer(Complaint.About(exception) ?? exception.Message, "", []);
        }
    }

    private async Task<LayerMeasurement> PrepareAsync(WorkerRequest request, CancellationToken cancellationToken)
    {
        var known = await SiloManifests.WaitForAsync(_silo, request.SiloPorts.Length, cancellationToken);
        var silos = Array.ConvertAll(request.SiloPorts, port => known.Single(silo => silo.Endpoint.Port == port));
        var layer = new LayerMeasurement(_silo, request.Shape, silos, request.Places);
        await layer.PlaceAsync(cancellationToken);
        await layer.AttendAsync(cancellationToken);
        return layer;
    }
}
