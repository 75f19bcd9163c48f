namespace HeadCluster.Models;

/// <summary>A safetensors file that breaks the format, or does not hold what was asked of it.</summary>
public sealed class SafetensorsException : ModelException
{
    /// <summary>Creates an error of a kind with a one-line message and what caused it.</summary>
    public SafetensorsException(SafetensorsErrorKind kind, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Kind = kind;
    }

    /// <summary>What is wrong.</summary>
    public SafetensorsErrorKind Kind { get; }
}
