namespace HeadCluster.Scheduling;

/// <summary>What of a plan is carried out.</summary>
public enum PlanAdoption
{
    /// <summary>Nothing: it is what is there, or gains too little.</summary>
    None,

    /// <summary>Only heads move whose silo is gone or going.</summary>
    Homeless,

    /// <summary>All of it.</summary>
    All,
}
