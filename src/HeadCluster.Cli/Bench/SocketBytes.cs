using System.Diagnostics;
using System.Globalization;

namespace HeadCluster.Cli.Bench;

/// <summary>Bytes that silos of this machine have sent each other, as the system counts them at the sockets (<c>ss</c> of iproute2).</summary>
internal sealed class SocketBytes
{
    public const string Absent = "there is no ss (iproute2), so bytes on the wire are not counted";

    private const string Sent = "bytes_sent:";

    private readonly string _ss;

    private SocketBytes(string ss) => _ss = ss;

    public static SocketBytes? Find() => Tool.Find("ss") is { } ss ? new SocketBytes(ss) : null;

    /// <summary>Bytes that were sent so far on all connections to these ports, in both directions; null if the system does not say.</summary>
    public async Task<long?> CountAsync(int[] ports, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(_ss, ["-tinHO", "state", "established"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);

        // Both ends of a connection are listed, each with what it has sent itself.
        var sum = text.Split('\n').Select(line => SentOn(line, ports)).Sum();
        return process.ExitCode == 0 && sum > 0 ? sum : null;
    }

    // Bytes that wait to be received and sent, here, there, then what is known of the connection. Zeros are left out.
    private static long SentOn(string line, int[] ports)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields is [_, _, var here, var there, ..] && (ports.Contains(Port(here)) || ports.Contains(Port(there)))
            && Array.Find(fields, field => field.StartsWith(Sent, StringComparison.Ordinal)) is { } sent
            ? long.Parse(sent.AsSpan(Sent.Length), CultureInfo.InvariantCulture)
            : 0;
    }

    private static int Port(string endpoint) =>
        int.TryParse(endpoint.AsSpan(endpoint.LastIndexOf(':') + 1), CultureInfo.InvariantCulture, out var port) ? port : 0;
}
