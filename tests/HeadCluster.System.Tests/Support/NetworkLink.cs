using System.Globalization;

namespace HeadCluster.System.Tests;

/// <summary>
/// A network of its own for one process, and the one cable that leads there: a namespace of Linux and a pair of virtual interfaces.
/// A test is skipped where the system lets it make none.
/// </summary>
internal sealed class NetworkLink : IAsyncDisposable
{
    private readonly string _ip;
    private readonly string _name;

    private NetworkLink(string ip, string name, string near, string far)
    {
        _ip = ip;
        _name = name;
        (Near, Far) = (near, far);
    }

    /// <summary>The address of the end in the network of the tests.</summary>
    public string Near { get; }

    /// <summary>The address of the other end.</summary>
    public string Far { get; }

    /// <summary>What starts a program at the other end, before the program and its arguments.</summary>
    public string[] Launcher => [_ip, "netns", "exec", _name];

    public static async Task<NetworkLink> LayAsync()
    {
        var ip = Tool.Require("ip", "/usr/sbin", "/sbin");

        // Several runs may be under way on one machine, and names of interfaces have 15 characters at most.
        var number = Random.Shared.Next(1 << 14);
        var (name, third, fourth) = (string.Create(CultureInfo.InvariantCulture, $"hc{number}"), number >> 6, number % 64 * 4);
        var link = new NetworkLink(ip, name, $"10.213.{third}.{fourth + 1}", $"10.213.{third}.{fourth + 2}");
        var made = await Tool.RunAsync(ip, [], "netns", "add", name);
        Assert.SkipUnless(made.ExitCode == 0, $"no network namespace can be made here: {made.Error.Trim()}");
        try
        {
            var laid = await Tool.RunAsync(ip, [], "link", "add", link.NearInterface, "type", "veth", "peer", "name", link.FarInterface, "netns", name);
            Assert.SkipUnless(laid.ExitCode == 0, $"no virtual interface can be made here: {laid.Error.Trim()}");
            await Tool.SucceedAsync(ip, "address", "add", link.Near + "/30", "dev", link.NearInterface);
            await Tool.SucceedAsync(ip, "link", "set", link.NearInterface, "up");
            await Tool.SucceedAsync(ip, "-n", name, "address", "add", link.Far + "/30", "dev", link.FarInterface);
            await Tool.SucceedAsync(ip, "-n", name, "link", "set", link.FarInterface, "up");
            await Tool.SucceedAsync(ip, "-n", name, "link", "set", "lo", "up");
            return link;
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    /// <summary>Pulls the cable out at the other end: nothing passes any more, and nobody is told.</summary>
    public Task CutAsync() => Tool.SucceedAsync(_ip, "-n", _name, "link", "set", FarInterface, "down");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await Tool.SucceedAsync(_ip, "netns", "delete", _name);

    private string NearInterface => _name + "n";

    private string FarInterface => _name + "f";
}
