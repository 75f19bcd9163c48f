using HeadCluster.Models;

namespace HeadCluster.Cli.Files;

/// <summary>Looks at where a command will write before it has worked for it.</summary>
internal static class OutputFile
{
    /// <summary>Checks that a file can be written where an option says.</summary>
    /// <exception cref="ModelException">It has no name, its directory is not there, or it is a directory.</exception>
    public static void CheckWritable(string path, string option)
    {
        if (path.Length == 0)
        {
            throw new ModelException($"{option}: the name of the file is empty");
        }

        var directory = Path.GetDirectoryName(Path.GetFullPath(path));
        if (!Directory.Exists(directory))
        {
            throw new ModelException($"{option}: {path} cannot be written, since there is no directory {directory}");
        }

        if (Directory.Exists(path))
        {
            throw new ModelException($"{option}: {path} cannot be written, since it is a directory");
        }
    }
}
