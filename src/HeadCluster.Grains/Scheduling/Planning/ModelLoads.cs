using HeadCluster.Grains;
using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Scheduling;

internal static class ModelLoads
{
    public static (IReadOnlyList<HeadLoad> Heads, CoordinatorLoad Coordinator) Of(string model, ModelConfiguration c, RequestShape shape)
    {
        var s = c.HeadShape();
        var heads = new List<HeadLoad>();
        for (var l = 0; l < c.LayerCount; l++)
        {
            for (var h = 0; h < c.KvHeadCount; h++)
            {
                heads.Add(new HeadLoad(new HeadId(model, l, h), PackedMatrix.SizeOf(s.ModelDim, s.ProjectionDim, c.WeightFormat()), 0, s.ProjectOperations(shape.Rows) + s.AttendOperations(shape.Rows, shape.Rows), 0, shape.Rows * s.OutputDim * 4L));
            }
        }

        return (heads, new CoordinatorLoad(0, shape.Rows * s.ModelDim * 4L, 2.0 * shape.Rows * s.ModelDim * s.ModelDim, 0, 0, 0));
    }
}
