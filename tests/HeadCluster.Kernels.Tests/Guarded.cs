namespace HeadCluster.Kernels.Tests;

/// <summary>A span with NaN of a known payload on both sides: reading beyond shows in the result, writing beyond in <see cref="Check"/>.</summary>
internal sealed class Guarded
{
    private const int Margin = 48;
    private const int Payload = 0x7FC0BEEF;
    private readonly float[] _memory;
    private readonly int _length;

    public Guarded(int length)
    {
        _length = length;
        _memory = new float[length + (2 * Margin)];
        _memory.AsSpan().Fill(BitConverter.Int32BitsToSingle(Payload));
    }

    public Guarded(ReadOnlySpan<float> values)
        : this(values.Length) => values.CopyTo(Span);

    public Span<float> Span => _memory.AsSpan(Margin, _length);

    public void Check()
    {
        for (var i = 0; i < _memory.Length; i++)
        {
            var inside = i >= Margin && i < Margin + _length;
            Assert.True(inside || BitConverter.SingleToInt32Bits(_memory[i]) == Payload, $"element {i - Margin} of {_length} was written");
        }
    }
}
