using HeadCluster.Hosting;
using HeadCluster.Patterns;
using HeadCluster.Scheduling;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.Silo;

/// <summary>Checks a silo's settings before its host starts, since a host tells of wrong ones by a stack trace.</summary>
internal static class SettingsCheck
{
    /// <exception cref="OptionsValidationException">A setting is out of range.</exception>
    /// <exception cref="HeadClusterException">A setting is not of its type, or no plans can be made with it.</exception>
    /// <exception cref="OrleansConfigurationException">Orleans would not start with the settings.</exception>
    public static void CheckSettings(this IHost silo)
    {
        var configuration = silo.Services.GetRequiredService<IConfiguration>();
        SettingForm.CheckNumber<int>(configuration, HeadClusterOptions.Section, nameof(HeadClusterOptions.ComputeThreads));
        SettingForm.CheckSwitch(configuration, HeadClusterOptions.Section, nameof(HeadClusterOptions.PinComputeThreads));
        SettingForm.CheckNumber<long>(configuration, HeadClusterOptions.Section, nameof(HeadClusterOptions.MemoryLimitBytes));
        SettingForm.CheckNumber<long>(configuration, HeadClusterOptions.Section, nameof(HeadClusterOptions.SequenceMemoryBytes));
        SettingForm.CheckChoice<WirePrecision>(configuration, HeadClusterOptions.Section, nameof(HeadClusterOptions.WirePrecision));
        SettingForm.CheckDuration(configuration, HeadClusterOptions.Section, nameof(HeadClusterOptions.RecoveryTimeout));
        SettingForm.CheckDuration(
            configuration, $"{HeadClusterOptions.Section}:{nameof(HeadClusterOptions.Scheduling)}", nameof(SchedulingOptions.Period));
        SettingForm.CheckDuration(
            configuration, $"{HeadClusterOptions.Section}:{nameof(HeadClusterOptions.Patterns)}", nameof(PatternOptions.SampleInterval));
        try
        {
            _ = silo.Services.GetRequiredService<IOptions<HeadClusterOptions>>().Value;
        }
        catch (InvalidOperationException exception)
        {
            throw HeadClusterException.InvalidInput(exception.Message);
        }

        foreach (var validator in silo.Services.GetServices<IConfigurationValidator>())
        {
            validator.ValidateConfiguration();
        }
    }
}
