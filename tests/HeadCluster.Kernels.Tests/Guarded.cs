namespace HeadCluster.Kernels.Tests;

/// <summary>
/// A span that ends at an inaccessible page, so that a read or write behind it ends the process, and begins after NaN of a
/// known payload: reading before it shows in the result, writing before it in <see cref="Check"/>.
/// </summary>
internal sealed unsafe class Guarded : IDisposable
{
    // Elements before the span at least: three vectors.
    private const int Margin = 48;
    private const int Payload = 0x7FC0BEEF;
    private readonly int _length;
    private readonly int _pages;
    private nint _memory;

    public Guarded(int length)
    {
        _length = length;
        _pages = (((length + Margin) * sizeof(float)) + Environment.SystemPageSize - 1) / Environment.SystemPageSize;
        _memory = GuardPage.Rent(_pages);
        All.Fill(BitConverter.Int32BitsToSingle(Payload));
    }

    public Guarded(ReadOnlySpan<float> values)
        : this(values.Length) => values.CopyTo(Span);

    public Span<float> Span => All[^_length..];

    private Span<float> All
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory == 0, this);
            return new Span<float>((void*)_memory, _pages * Environment.SystemPageSize / sizeof(float));
        }
    }

    public void Check()
    {
        var before = All[..^_length];
        for (var i = 0; i < before.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(before[i]) != Payload)
            {
                Assert.Fail($"element {i - before.Length} of {_length} was written");
            }
        }
    }

    public void Dispose()
    {
        if (_memory != 0)
        {
            GuardPage.Return(_memory, _pages);
            _memory = 0;
        }
    }
}
