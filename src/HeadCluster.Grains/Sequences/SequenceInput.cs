using System.Globalization;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>Checks what a request says of the sequence that it goes on with, before memory is allocated for it.</summary>
internal static class SequenceInput
{
    /// <summary>Elements by which values are padded at most.</summary>
    private const int Rounding = 16;

    /// <summary>
    /// The lengths that travel with a request. Of one that goes on with a sequence none do, so that whoever does not know of sequences refuses
    /// its rows, and does not take them for a whole one.
    /// </summary>
    public static int[] Travelling(int[] sequenceLengths, CachedSequence? sequence) => sequence is null ? sequenceLengths : [];

    /// <summary>The lengths of a request's sequences, as they are meant.</summary>
    /// <param name="sequenceLengths">As they came; null for one sequence.</param>
    /// <param name="sequence">The sequence that the rows go on with; null for sequences that are whole.</param>
    /// <param name="rows">Rows of x.</param>
    public static int[] Lengths(int[]? sequenceLengths, CachedSequence? sequence, int rows) =>
        sequenceLengths is null || (sequence is not null && sequenceLengths.Length == 0) ? [rows] : sequenceLengths;

    /// <inheritdoc cref="Lengths(int[], CachedSequence, int)"/>
    /// <param name="sequenceLengths">As they came; null for one sequence.</param>
    /// <param name="sequence">The sequence that the rows go on with; null for sequences that are whole.</param>
    /// <param name="x">As it came, which may be no matrix.</param>
    public static int[] Lengths(int[]? sequenceLengths, CachedSequence? sequence, FloatTensor? x) =>
        Lengths(sequenceLengths, sequence, rows: x is { Rank: 2 } ? x.Rows : 0);

    /// <summary>Checks a sequence whose rows have been checked.</summary>
    /// <param name="where">The layer or head, for errors.</param>
    /// <param name="sequence">The sequence; null for sequences that are whole.</param>
    /// <param name="sequenceLengths">Rows of each sequence of the request: expected to be one.</param>
    /// <param name="patterns">What of the patterns is captured: nothing of a sequence of which not all rows are there.</param>
    /// <param name="model">The sizes; the model is expected to be causal, since rows that have been answered cannot attend to later ones.</param>
    /// <exception cref="HeadClusterException">Something is not as expected.</exception>
    public static void Check(string where, CachedSequence? sequence, int[] sequenceLengths, PatternSelection? patterns, ModelConfiguration model)
    {
        if (sequence is null)
        {
            return;
        }

        if (!model.Causal)
        {
            throw Invalid($"{where}: the request goes on with a sequence, but rows of this model attend to later ones too; expected whole sequences");
        }

        if (sequence.Id == Guid.Empty)
        {
            throw Invalid($"{where}: the sequence that the request goes on with has an empty id; expected one of its own");
        }

        if (sequenceLengths is not [var rows])
        {
            throw Invalid($"{where}: {sequenceLengths.Length} sequences go on with one; expected the rows of one");
        }

        if (sequence.Past < 0 || sequence.Past > model.MaxSequenceLength - rows)
        {
            throw Invalid(
                $"{where}: {rows} rows go on after {sequence.Past} positions; expected 0 to {model.MaxSequenceLength - rows}, for the {model.MaxSequenceLength} positions of the model");
        }

        if (sequence.Capacity < sequence.Past + rows || sequence.Capacity > model.MaxSequenceLength)
        {
            throw Invalid(
                $"{where}: the capacity of the sequence is {sequence.Capacity}; expected {sequence.Past + rows} to {model.MaxSequenceLength}, the positions of the model");
        }

        var shape = model.HeadShape();
        if ((long)sequence.Capacity * (shape.HeadDim + shape.ValueDim + Rounding) > FloatTensor.MaxLength)
        {
            throw Invalid($"{where}: the capacity of the sequence is {sequence.Capacity}; its keys and values take more than an array holds");
        }

        if (sequence.Past > 0 && patterns is not null)
        {
            throw Invalid($"{where}: patterns are asked for of rows after {sequence.Past} others; expected all rows of the sequence, from position 0 on");
        }
    }

    private static HeadClusterException Invalid(FormattableString message) =>
        HeadClusterException.InvalidInput(message.ToString(CultureInfo.InvariantCulture));
}
