using Microsoft.Extensions.Options;

namespace HeadCluster.Hosting;

/// <summary>Says at start what of the options is wrong and what to change.</summary>
internal sealed class HeadClusterOptionsValidator : IValidateOptions<HeadClusterOptions>
{
    private const int MaxComputeThreads = 1024;
    private const long LeastInFlightBytes = 1 << 20;
    private static readonly TimeSpan ShortestRecovery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromHours(1);

    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, HeadClusterOptions options)
    {
        var errors = new List<string>();
        foreach (var (model, settings) in options.Models)
        {
            if (model.Length == 0 || model.Contains('/', StringComparison.Ordinal))
            {
                errors.Add($"{HeadClusterOptions.Section}:Models has a model named '{model}'; a name has no '/' and is not empty");
            }

            if (string.IsNullOrWhiteSpace(settings.Path))
            {
                errors.Add($"{HeadClusterOptions.Section}:Models:{model}:Path is empty; set it to a model's directory or to random:<shape>");
            }
        }

        if (options.MemoryLimitBytes is < 1)
        {
            errors.Add($"{HeadClusterOptions.Section}:MemoryLimitBytes is {options.MemoryLimitBytes}; set it to 1 or more, or leave it out");
        }

        if (options.SequenceMemoryBytes is < 0)
        {
            errors.Add($"{HeadClusterOptions.Section}:SequenceMemoryBytes is {options.SequenceMemoryBytes}; set it to 0 or more, or leave it out");
        }

        if (options.ComputeThreads is < 1 or > MaxComputeThreads)
        {
            errors.Add($"{HeadClusterOptions.Section}:ComputeThreads is {options.ComputeThreads}; set it to 1 to {MaxComputeThreads}, or leave it out");
        }

        if (options.MaxInFlightBytesPerSilo < LeastInFlightBytes)
        {
            errors.Add($"{HeadClusterOptions.Section}:MaxInFlightBytesPerSilo is {options.MaxInFlightBytesPerSilo}; set it to {LeastInFlightBytes} or more");
        }

        if (options.MaxWaitingBytesPerSilo < 0)
        {
            errors.Add($"{HeadClusterOptions.Section}:MaxWaitingBytesPerSilo is {options.MaxWaitingBytesPerSilo}; set it to 0 or more");
        }

        if (!Enum.IsDefined(options.WirePrecision))
        {
            errors.Add($"{HeadClusterOptions.Section}:WirePrecision is {options.WirePrecision}; set it to {string.Join(" or ", Enum.GetNames<WirePrecision>())}");
        }

        if (options.RecoveryTimeout < ShortestRecovery || options.RecoveryTimeout > LongestRecovery)
        {
            errors.Add($"{HeadClusterOptions.Section}:RecoveryTimeout is {options.RecoveryTimeout}; set it to {ShortestRecovery} to {LongestRecovery}");
        }

        if (options.Scheduling.Period < ShortestPeriod || options.Scheduling.Period > LongestPeriod)
        {
            errors.Add($"{HeadClusterOptions.Section}:Scheduling:Period is {options.Scheduling.Period}; set it to {ShortestPeriod} to {LongestPeriod}");
        }

        errors.AddRange(options.Patterns.Complaints());
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
