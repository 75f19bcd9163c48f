namespace HeadCluster.Models;

/// <summary>A model that cannot be used. The message is one line: what is wrong, in which file or tensor, and what was expected.</summary>
public class ModelException : Exception
{
    /// <summary>Creates an error with a one-line message and what caused it.</summary>
    public ModelException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
