using HeadCluster.Kernels;
using HeadCluster.Models;
using HeadCluster.Scheduling;

namespace HeadCluster.Tests.Scheduling;

/// <summary>What a model's heads and coordinators cost, and the plans that follow on two silos of one core each.</summary>
public class ModelLoadsTests
{
    // Of a score, in multiply-adds.
    private const int Softmax = 26;

    private static readonly ModelConfiguration Nano = new()
    {
        LayerCount = 3,
        ModelDim = 48,
        HeadCount = 3,
        KvHeadCount = 3,
        HeadDim = 16,
        ValueDim = 16,
        MaxSequenceLength = 11,
        Causal = true,
        Scale = 0.25f,
        Transformer = new TransformerConfiguration { VocabularySize = 3, FeedForwardDim = 192, NormEpsilon = 1e-5f, Activation = Activation.GeluTanh },
    };

    [Fact]
    public void A_prompt_costs_its_projections_and_half_of_the_square()
    {
        var heads = ModelLoads.Heads("nano", Nano, new RequestShape(10));
        Assert.Equal(9, heads.Length);
        Assert.Equal(["nano/0/0", "nano/0/1", "nano/0/2", "nano/1/0"], heads.Take(4).Select(head => head.Head.ToString()));
        Assert.All(heads, head => Assert.Equal((2 * 10 * 48 * 48) + (2 * 10 * 10 * (32 + Softmax) / 2), head.Operations));
        Assert.All(heads, head => Assert.Equal(10 * 16 * sizeof(float), head.OutputBytes));
        Assert.All(heads, head => Assert.Equal(PackedMatrix.SizeOf(48, 48, WeightFormat.Float32), head.WeightBytes));
        Assert.All(heads, head => Assert.Equal(0, head.StateBytes));
    }

    [Fact]
    public void A_decode_step_reads_the_keys_and_values_of_all_positions()
    {
        var head = ModelLoads.Heads("nano", Nano, new RequestShape(10, RequestPhase.Decode))[0];
        Assert.Equal((2 * 48 * 48) + (2 * 10 * (32 + Softmax)), head.Operations);
        Assert.Equal(10 * 32 * sizeof(float), head.StateBytes);
        Assert.Equal(head.WeightBytes + head.StateBytes, head.ReadBytes);
        Assert.Equal(16 * sizeof(float), head.OutputBytes);
    }

    [Fact]
    public void A_coordinator_has_the_output_projection_and_in_a_whole_model_all_that_is_not_attention()
    {
        var layers = ModelLoads.Coordinator(Nano with { Transformer = null }, new RequestShape(10));
        var whole = ModelLoads.Coordinator(Nano, new RequestShape(10));
        Assert.Equal(10 * 48 * sizeof(float), layers.InputBytes);
        Assert.Equal(2 * 10 * 48 * 48, layers.ProjectionOperations);
        Assert.Equal(0, layers.LayerOperations);
        Assert.Equal(0, layers.RequestOperations);
        Assert.Equal(layers.ProjectionOperations, whole.ProjectionOperations);
        Assert.Equal(2 * 10 * 2 * 48 * 192, whole.LayerOperations);
        Assert.Equal(2 * 10 * 48 * 3, whole.RequestOperations);
        Assert.True(whole.WeightBytes > layers.WeightBytes);
    }

    [Fact]
    public void The_nano_model_goes_to_one_silo()
    {
        var plan = HeadPlanner.Plan(TwoCores(Nano, new RequestShape(11)), Fleet.Measured);
        Assert.Equal([9, 0], plan.Split());
        Assert.StartsWith("one silo is fastest here", plan.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wide_layer_of_many_rows_goes_to_both_silos()
    {
        var layer = Nano with { LayerCount = 1, ModelDim = 2048, HeadCount = 32, KvHeadCount = 32, HeadDim = 64, ValueDim = 64, Transformer = null };
        var plan = HeadPlanner.Plan(TwoCores(layer, new RequestShape(1024)), Fleet.Measured);
        Assert.Equal(32, plan.Split().Sum());
        Assert.InRange(plan.Split()[0], 10, 18);
        Assert.Equal(plan.Silos[0].Silo, plan.Coordinator);
        Assert.Equal(TimeSpan.Zero, plan.Silos[0].Transfer);
        Assert.True(plan.Silos[1].Transfer > TimeSpan.Zero);
    }

    [Fact]
    public void A_request_without_rows_is_refused() =>
        Assert.Throws<HeadClusterException>(() => ModelLoads.Heads("nano", Nano, new RequestShape(0)));

    private static PlanProblem TwoCores(ModelConfiguration model, RequestShape request) => new()
    {
        Model = "nano",
        Shape = request,
        Heads = ModelLoads.Heads("nano", model, request),
        Coordinator = ModelLoads.Coordinator(model, request),
        Silos = [Fleet.Silo(0, operationsPerSecond: 6e10), Fleet.Silo(1, operationsPerSecond: 6e10)],
        Links = new SiloLinks(Fleet.Loopback),
    };
}
