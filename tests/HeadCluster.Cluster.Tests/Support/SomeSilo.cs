namespace HeadCluster.Tests;

/// <summary>A silo that is only an address.</summary>
internal sealed class SomeSilo(SiloAddress silo) : ILocalSiloDetails
{
    public string Name => "here";

    public string ClusterId => "none";

    public string DnsHostName => "localhost";

    public SiloAddress SiloAddress => silo;

    public SiloAddress GatewayAddress => silo;
}
