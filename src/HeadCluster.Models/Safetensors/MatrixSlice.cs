namespace HeadCluster.Models;

/// <summary>A rectangle of a matrix.</summary>
/// <param name="FirstRow">Its first row.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="FirstColumn">Its first column.</param>
/// <param name="Columns">How many columns.</param>
public readonly record struct MatrixSlice(long FirstRow, int Rows, long FirstColumn, int Columns);
