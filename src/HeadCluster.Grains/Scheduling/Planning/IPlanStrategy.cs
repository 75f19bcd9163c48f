namespace HeadCluster.Scheduling;

/// <summary>
/// Decides which silo coordinates a model and which silo each head belongs to. A strategy is a pure function: every silo that asks
/// it the same comes to the same answer. <see cref="HeadPlanner"/> checks and prices what it decides.
/// </summary>
public interface IPlanStrategy
{
    /// <summary>By which the strategy is chosen; unique among those registered.</summary>
    string Name { get; }

    /// <summary>
    /// Whether what it decides is somebody's word, and no measurement: carried out whatever that promises. If not, only what is worth it moves.
    /// </summary>
    bool IsBinding => false;

    /// <summary>Assigns every head.</summary>
    /// <exception cref="HeadClusterException">No assignment fits into the silos' memory; the message says by how many bytes.</exception>
    PlanDecision Decide(PlanProblem problem);
}

/// <summary>What a strategy decided.</summary>
/// <param name="Coordinator">Index of the silo that coordinates.</param>
/// <param name="Silos">Index of the silo of each head.</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record PlanDecision(int Coordinator, int[] Silos, string Reason);
