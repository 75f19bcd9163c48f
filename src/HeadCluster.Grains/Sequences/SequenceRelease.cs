namespace HeadCluster.Grains;

/// <summary>Has the heads of all silos let go of a sequence that has ended, so that others have its room.</summary>
internal sealed class SequenceRelease(HeadRelayClient relays, ISiloStatusOracle silos)
{
    /// <summary>Nobody waits for it: where it is not heard, the sequence is let go of when nobody has asked for it for a while.</summary>
    public void Forget(Guid sequence)
    {
        foreach (var silo in silos.GetApproximateSiloStatuses(onlyActive: true).Keys)
        {
            relays.On(silo).ForgetAsync(sequence).Ignore();
        }
    }
}
