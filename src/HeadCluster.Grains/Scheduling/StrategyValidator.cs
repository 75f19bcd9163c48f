namespace HeadCluster.Scheduling;

/// <summary>Fails a start that no plan could follow: there is no strategy of the configured name, or its file cannot be read.</summary>
internal sealed class StrategyValidator(ModelPlanner planner) : IConfigurationValidator
{
    /// <exception cref="HeadClusterException">What is wrong and what to change.</exception>
    public void ValidateConfiguration() => planner.Strategy(name: null);
}
