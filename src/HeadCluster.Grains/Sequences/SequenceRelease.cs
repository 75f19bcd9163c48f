namespace HeadCluster.Grains;

/// <summary>Has the heads of some silos let go of a sequence that has ended, so that others have its room.</summary>
internal sealed class SequenceRelease(HeadRelayClient relays, ISiloStatusOracle silos)
{
    /// <summary>Nobody waits for it: where it is not heard, the sequence is let go of when nobody has asked for it for a while.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="from">Silos whose heads may keep something of it; null for all.</param>
    public void Forget(Guid sequence, IEnumerable<SiloAddress>? from)
    {
        foreach (var silo in from?.Where(silo => !silos.IsDeadSilo(silo)) ?? silos.GetApproximateSiloStatuses(onlyActive: true).Keys)
        {
            relays.On(silo).ForgetAsync(sequence).Ignore();
        }
    }
}
