using System.Threading.Channels;

namespace HeadCluster.Cli.Bench;

/// <summary>Lines of a stream, read by a thread of its own.</summary>
internal static class RequestLines
{
    /// <summary>
    /// Reads to the end. Reading a process's input blocks its thread, and on one core the thread pool has only one to begin with:
    /// a silo that had to share it would be slow until the pool has noticed.
    /// </summary>
    public static ChannelReader<string> Read(Stream input)
    {
        var lines = Channel.CreateUnbounded<string>();
        var thread = new Thread(() =>
        {
            using var reader = new StreamReader(input);
            while (reader.ReadLine() is { } line)
            {
                lines.Writer.TryWrite(line);
            }

            lines.Writer.Complete();
        })
        {
            IsBackground = true,
            Name = "HeadCluster bench requests",
        };
        thread.Start();
        return lines.Reader;
    }
}
