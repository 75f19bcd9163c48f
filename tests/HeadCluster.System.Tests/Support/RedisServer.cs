using System.Diagnostics;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests;

/// <summary>A Redis of its own, on a free port; tests are skipped where there is no redis-server.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly TemporaryDirectory _data = new();
    private readonly string _program;
    private readonly int _port = SiloProcess.FreePorts(1)[0];
    private Process _process = null!;
    private Task _reading = Task.CompletedTask;

    private readonly string[] _addresses;

    private RedisServer(string program, string[] addresses)
    {
        _program = program;
        _addresses = addresses;
    }

    /// <summary>The port of all its addresses.</summary>
    public int Port => _port;

    /// <summary>Its address as <c>host:port</c>.</summary>
    public string Address => $"127.0.0.1:{_port}";

    /// <summary>Its address as <c>--cluster</c> takes it.</summary>
    public string Uri => $"redis://{Address}";

    /// <param name="addresses">Addresses on which it listens besides the loopback one.</param>
    public static async Task<RedisServer> StartAsync(params string[] addresses)
    {
        var server = new RedisServer(Tool.Require("redis-server"), addresses);
        await server.ListenAsync();
        return server;
    }

    /// <summary>Stops it, keeping what it holds only if it was told to keep that on disk, and starts it again.</summary>
    public async Task RestartAsync()
    {
        await EndAsync();
        await ListenAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _data.Dispose();
    }

    private async Task ListenAsync()
    {
        using var limit = Programs.Limit();
        var start = new ProcessStartInfo(
            _program, [
                "--port", $"{_port}", "--protected-mode", "no", "--dir", _data.Path, "--save", "", "--appendonly", "yes",
                "--bind", "127.0.0.1", .. _addresses,
            ])
        {
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                _reading = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return;
            }
        }

        Assert.Fail("redis-server ended before it took connections");
    }

    private async Task EndAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }
}
