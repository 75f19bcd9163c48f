namespace HeadCluster.System.Tests;

/// <summary>A folder for the files of one test, deleted with them.</summary>
internal sealed class TestFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("headcluster-");

    public string this[string file] => Path.Combine(_folder.FullName, file);

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}
