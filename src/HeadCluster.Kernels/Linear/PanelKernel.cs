using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// The inner loop of every matrix product: a few rows times a few vectors of 16 columns, all sums in registers. Each element is
/// one chain of fused multiply-adds over the inputs in ascending order, whatever the number of rows and columns beside it.
/// </summary>
/// <remarks>
/// A tile has as many chains as the registers hold: they hide the latency of an FMA, and each weight that is loaded serves
/// all rows, each x all columns. Sizes are type parameters, so that the compiler makes a loop without branches for each. The
/// blocking is that of Goto and van de Geijn 2008 (doi:10.1145/1356052.1356053) without its outermost loops: weights are
/// packed once and panels are short enough for the second-level cache.
/// </remarks>
internal static class PanelKernel
{
    /// <summary>
    /// Columns of a panel: what lies side by side for each input. A tile that takes all of them reads memory from end to end.
    /// </summary>
    public const int PanelColumns = 4 * Lanes.Count;

    /// <summary>Rows of the largest tile: 6 × 4 chains in 32 registers of 512 bits, or 6 chains of two registers in 16 of 256.</summary>
    public const int MaxRows = 6;

    /// <summary>
    /// Inputs between which what comes later is asked for, and that registers of 512 bits take without a branch: what a loop does beside its
    /// FMAs would be a sixth of the time where a CPU starts two of 512 bits a cycle.
    /// </summary>
    private const int InputsAtOnce = 4;

    /// <summary>How far ahead a single row asks for weights of 16 bits, in bytes: eight inputs of a panel.</summary>
    private const int NarrowAhead = 1024;

    /// <summary>Panels that a single row takes at once.</summary>
    public static int MaxPanelsOfRow => Vector512.IsHardwareAccelerated ? 4 : 1;

    /// <summary>The columns of the next tile, in vectors, where <paramref name="remaining"/> vectors of a panel are left.</summary>
    public static int NextVectors(int rows, int remaining) => Vector512.IsHardwareAccelerated || rows == 1 ? remaining : 1;

    /// <summary>Computes rows of any number, tile by tile.</summary>
    /// <param name="rows">How many, 1 or more.</param>
    /// <param name="vectors">What <see cref="NextVectors"/> says.</param>
    /// <param name="tile">Where everything is; memory of this size is trusted to be there.</param>
    [MethodImpl(Compile.Alone)]
    public static void Run<TFormat, TStored>(int rows, int vectors, in PanelTile<TStored> tile)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        switch (vectors)
        {
            case 1: Run<TFormat, TStored, N1>(rows, tile); break;
            case 2: Run<TFormat, TStored, N2>(rows, tile); break;
            case 3: Run<TFormat, TStored, N3>(rows, tile); break;
            case 4: Run<TFormat, TStored, N4>(rows, tile); break;
            default: throw new ArgumentOutOfRangeException(nameof(vectors));
        }
    }

    [MethodImpl(Compile.Alone)]
    private static void Run<TFormat, TStored, TVectors>(int rows, in PanelTile<TStored> tile)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
        where TVectors : struct, INumber
    {
        // As many of the largest tile as there can be without one or two rows left over, since a tile of so few waits for its weights.
        var (tiles, rest) = Math.DivRem(rows, MaxRows);
        if (tiles > 0)
        {
            (tiles, rest) = rest is 1 or 2 ? (tiles - 1, rest + MaxRows) : (tiles, rest);
            Run<TFormat, TStored, N6, TVectors>(tile, tiles);
        }

        if (rest > 0)
        {
            RunRest<TFormat, TStored, TVectors>(rest, tile.After(tiles * MaxRows));
        }
    }

    [MethodImpl(Compile.Alone)]
    private static void RunRest<TFormat, TStored, TVectors>(int rows, in PanelTile<TStored> tile)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
        where TVectors : struct, INumber
    {
        switch (rows)
        {
            case 1: Run<TFormat, TStored, N1, TVectors>(tile, tiles: 1); break;
            case 2: Run<TFormat, TStored, N2, TVectors>(tile, tiles: 1); break;
            case 3: Run<TFormat, TStored, N3, TVectors>(tile, tiles: 1); break;
            case 4: Run<TFormat, TStored, N4, TVectors>(tile, tiles: 1); break;
            case 5: Run<TFormat, TStored, N5, TVectors>(tile, tiles: 1); break;
            case 7:
                Run<TFormat, TStored, N4, TVectors>(tile, tiles: 1);
                Run<TFormat, TStored, N3, TVectors>(tile.After(4), tiles: 1);
                break;
            case 8: Run<TFormat, TStored, N4, TVectors>(tile, tiles: 2); break;
            default: throw new ArgumentOutOfRangeException(nameof(rows));
        }
    }

    [MethodImpl(Compile.Alone)]
    private static void Run<TFormat, TStored, TRows, TVectors>(in PanelTile<TStored> first, int tiles)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
        where TRows : struct, INumber
        where TVectors : struct, INumber
    {
        // Rows are reached from two of them, of which each other is at most two strides away: what an address can hold without an instruction.
        ref var x0 = ref Unsafe.AsRef(in first.X);
        var (stride, inputs, inputStride) = (first.XStride, first.Inputs, first.InputStride);
        ref var x3 = ref Unsafe.Add(ref x0, TRows.Value > 3 ? 3 * stride : 0);
        ref readonly var w = ref first.Weights;
        ref readonly var start = ref first.Start;
        ref var y = ref first.Y;
        var (asks, nextWeights) = (first.NextX != 0, first.NextWeights);
        for (var tile = 0; tile < tiles; tile++)
        {
            Chains<TVectors> r0 = default, r1 = default, r2 = default, r3 = default, r4 = default, r5 = default;
            if (!Unsafe.IsNullRef(in start))
            {
                var startStride = first.StartStride;
                r0.Load(in start, 0);
                if (TRows.Value > 1) { r1.Load(in start, startStride); }
                if (TRows.Value > 2) { r2.Load(in start, 2 * startStride); }
                if (TRows.Value > 3) { r3.Load(in start, 3 * startStride); }
                if (TRows.Value > 4) { r4.Load(in start, 4 * startStride); }
                if (TRows.Value > 5) { r5.Load(in start, 5 * startStride); }
                start = ref Unsafe.Add(ref Unsafe.AsRef(in start), (nuint)TRows.Value * startStride);
            }

            nuint at = 0;
            for (nuint input = 0; input < inputs; input += InputsAtOnce)
            {
                if (TRows.Value > 1 && asks)
                {
                    Ask<TStored, TRows, TVectors>(first, in x0, in y, input, nextWeights + (input * first.NextWeightsPerInput));
                }

                // Not with 16 registers of 256 bits: with another loop over the same sums the compiler has them go through memory at each turn.
                var left = Math.Min(InputsAtOnce, inputs - input);
                if (TRows.Value > 1 && Vector512.IsHardwareAccelerated && left == InputsAtOnce)
                {
                    AddInput<TFormat, TStored, TRows, TVectors>(in x0, in x3, 0, stride, in w, at, ref r0, ref r1, ref r2, ref r3, ref r4, ref r5);
                    AddInput<TFormat, TStored, TRows, TVectors>(in x0, in x3, 1, stride, in w, at + inputStride, ref r0, ref r1, ref r2, ref r3, ref r4, ref r5);
                    AddInput<TFormat, TStored, TRows, TVectors>(in x0, in x3, 2, stride, in w, at + (2 * inputStride), ref r0, ref r1, ref r2, ref r3, ref r4, ref r5);
                    AddInput<TFormat, TStored, TRows, TVectors>(in x0, in x3, 3, stride, in w, at + (3 * inputStride), ref r0, ref r1, ref r2, ref r3, ref r4, ref r5);
                    x0 = ref Unsafe.Add(ref x0, InputsAtOnce);
                    if (TRows.Value > 3) { x3 = ref Unsafe.Add(ref x3, InputsAtOnce); }
                    at += InputsAtOnce * inputStride;
                    continue;
                }

                for (; left > 0; left--)
                {
                    if (TRows.Value == 1 && TVectors.Value == 4) { Prefetch.Ahead(in w, at, PanelColumns, Prefetch.Page); }
                    AddInput<TFormat, TStored, TRows, TVectors>(in x0, in x3, 0, stride, in w, at, ref r0, ref r1, ref r2, ref r3, ref r4, ref r5);
                    x0 = ref Unsafe.Add(ref x0, 1);
                    if (TRows.Value > 3) { x3 = ref Unsafe.Add(ref x3, 1); }
                    at += inputStride;
                }
            }

            var yStride = first.YStride;
            r0.Store(ref y, 0);
            if (TRows.Value > 1) { r1.Store(ref y, yStride); }
            if (TRows.Value > 2) { r2.Store(ref y, 2 * yStride); }
            if (TRows.Value > 3) { r3.Store(ref y, 3 * yStride); }
            if (TRows.Value > 4) { r4.Store(ref y, 4 * yStride); }
            if (TRows.Value > 5) { r5.Store(ref y, 5 * yStride); }

            var toNext = ((nuint)TRows.Value * stride) - inputs;
            x0 = ref Unsafe.Add(ref x0, toNext);
            if (TRows.Value > 3) { x3 = ref Unsafe.Add(ref x3, toNext); }
            y = ref Unsafe.Add(ref y, (nuint)TRows.Value * yStride);
            nextWeights += inputs * first.NextWeightsPerInput;
        }
    }

    // Asks for what comes after some inputs, bit by bit: many lines at once would hold up what is needed now. Of the results, which lie far
    // apart, a line at a time; of the next tile's rows, which lie behind each other, an element a row for each input.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ask<TStored, TRows, TVectors>(
        in PanelTile<TStored> tile, ref readonly float x0, ref readonly float y, nuint input, nuint nextWeights)
        where TStored : unmanaged
        where TRows : struct, INumber
        where TVectors : struct, INumber
    {
        if (input < (nuint)(InputsAtOnce * TRows.Value * TVectors.Value))
        {
            var (row, vector) = Math.DivRem(input / InputsAtOnce, (nuint)TVectors.Value);
            Prefetch.Near(in y, (row * tile.YStride) + (vector * Lanes.Count));
        }

        if (TRows.Value == MaxRows)
        {
            var nextX = tile.NextX + (input * (MaxRows - 1));
            Prefetch.Near(in x0, nextX);
            Prefetch.Near(in x0, nextX + Lanes.Count);
            Prefetch.Far(in tile.Weights, nextWeights);
            if (tile.NextWeightsPerInput > Lanes.Count / InputsAtOnce)
            {
                Prefetch.Far(in tile.Weights, nextWeights + tile.NextWeightsPerInput);
                Prefetch.Far(in tile.Weights, nextWeights + (2 * tile.NextWeightsPerInput));
                Prefetch.Far(in tile.Weights, nextWeights + (3 * tile.NextWeightsPerInput));
            }
        }
    }

    // Adds the products of one input, so many behind those where x0 and x3 are, whose weights start at `at`.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddInput<TFormat, TStored, TRows, TVectors>(
        ref readonly float x0,
        ref readonly float x3,
        nuint input,
        nuint stride,
        ref readonly TStored w,
        nuint at,
        ref Chains<TVectors> r0,
        ref Chains<TVectors> r1,
        ref Chains<TVectors> r2,
        ref Chains<TVectors> r3,
        ref Chains<TVectors> r4,
        ref Chains<TVectors> r5)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
        where TRows : struct, INumber
        where TVectors : struct, INumber
    {
        Vector512<float> w1 = default, w2 = default, w3 = default;
        var w0 = TFormat.Load(in w, at);
        if (TVectors.Value > 1) { w1 = TFormat.Load(in w, at + Lanes.Count); }
        if (TVectors.Value > 2) { w2 = TFormat.Load(in w, at + (2 * Lanes.Count)); }
        if (TVectors.Value > 3) { w3 = TFormat.Load(in w, at + (3 * Lanes.Count)); }
        r0.Add(All(in x0, input), w0, w1, w2, w3);
        if (TRows.Value > 1) { r1.Add(All(in x0, stride + input), w0, w1, w2, w3); }
        if (TRows.Value > 2) { r2.Add(All(in x0, (2 * stride) + input), w0, w1, w2, w3); }
        if (TRows.Value > 3) { r3.Add(All(in x3, input), w0, w1, w2, w3); }
        if (TRows.Value > 4) { r4.Add(All(in x3, stride + input), w0, w1, w2, w3); }
        if (TRows.Value > 5) { r5.Add(All(in x3, (2 * stride) + input), w0, w1, w2, w3); }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> All(ref readonly float x, nuint at) => Vector512.Create(Unsafe.Add(ref Unsafe.AsRef(in x), at));

    /// <summary>
    /// Computes one row of whole panels. Several at once are several runs of memory side by side, where one alone would wait for
    /// each of its next pages.
    /// </summary>
    /// <param name="panels">1 to <see cref="MaxPanelsOfRow"/>.</param>
    /// <param name="tile">The row, and the first of the panels.</param>
    /// <param name="panelStride">Weights from one panel to the next.</param>
    /// <param name="outputStride">Results from those of one panel to those of the next.</param>
    [MethodImpl(Compile.Alone)]
    public static void RunRow<TFormat, TStored>(int panels, in PanelTile<TStored> tile, nuint panelStride, nuint outputStride = PanelColumns)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        switch (panels)
        {
            case 1: Run<TFormat, TStored, N1, N4>(tile, tiles: 1); break;
            case 2: RunRow<TFormat, TStored, N2>(tile, panelStride, outputStride); break;
            case 3: RunRow<TFormat, TStored, N3>(tile, panelStride, outputStride); break;
            case 4: RunRow<TFormat, TStored, N4>(tile, panelStride, outputStride); break;
            default: throw new ArgumentOutOfRangeException(nameof(panels));
        }
    }

    [MethodImpl(Compile.Alone)]
    private static void RunRow<TFormat, TStored, TPanels>(in PanelTile<TStored> tile, nuint panelStride, nuint outputStride)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
        where TPanels : struct, INumber
    {
        Chains<N4> p0 = default, p1 = default, p2 = default, p3 = default;
        if (!Unsafe.IsNullRef(in tile.Start))
        {
            p0.Load(in tile.Start, 0);
            p1.Load(in tile.Start, PanelColumns);
            if (TPanels.Value > 2) { p2.Load(in tile.Start, 2 * PanelColumns); }
            if (TPanels.Value > 3) { p3.Load(in tile.Start, 3 * PanelColumns); }
        }

        ref readonly var w = ref tile.Weights;
        for (nuint i = 0, at = 0; i < tile.Inputs; i++, at += tile.InputStride)
        {
            var x = Vector512.Create(Unsafe.Add(ref Unsafe.AsRef(in tile.X), i));
            p0.Add<TFormat, TStored>(x, in w, at);
            p1.Add<TFormat, TStored>(x, in w, at + panelStride);
            if (TPanels.Value > 2) { p2.Add<TFormat, TStored>(x, in w, at + (2 * panelStride)); }
            if (TPanels.Value > 3) { p3.Add<TFormat, TStored>(x, in w, at + (3 * panelStride)); }
        }

        p0.Store(ref tile.Y, 0);
        p1.Store(ref tile.Y, outputStride);
        if (TPanels.Value > 2) { p2.Store(ref tile.Y, 2 * outputStride); }
        if (TPanels.Value > 3) { p3.Store(ref tile.Y, 3 * outputStride); }
    }

    /// <summary>The sums of one row. Vectors that a tile does not have take no register.</summary>
    private struct Chains<TVectors>
        where TVectors : struct, INumber
    {
        private Vector512<float> _0;
        private Vector512<float> _1;
        private Vector512<float> _2;
        private Vector512<float> _3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Load(ref readonly float start, nuint at)
        {
            _0 = Vector512.LoadUnsafe(in start, at);
            if (TVectors.Value > 1) { _1 = Vector512.LoadUnsafe(in start, at + Lanes.Count); }
            if (TVectors.Value > 2) { _2 = Vector512.LoadUnsafe(in start, at + (2 * Lanes.Count)); }
            if (TVectors.Value > 3) { _3 = Vector512.LoadUnsafe(in start, at + (3 * Lanes.Count)); }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(Vector512<float> x, Vector512<float> w0, Vector512<float> w1, Vector512<float> w2, Vector512<float> w3)
        {
            _0 = Vector512.FusedMultiplyAdd(x, w0, _0);
            if (TVectors.Value > 1) { _1 = Vector512.FusedMultiplyAdd(x, w1, _1); }
            if (TVectors.Value > 2) { _2 = Vector512.FusedMultiplyAdd(x, w2, _2); }
            if (TVectors.Value > 3) { _3 = Vector512.FusedMultiplyAdd(x, w3, _3); }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add<TFormat, TStored>(Vector512<float> x, ref readonly TStored weights, nuint at)
            where TFormat : struct, IWeightFormat<TStored>
            where TStored : unmanaged
        {
            // A line of narrow weights is twice the work of one of float32, so that a CPU looks ahead half as far by itself.
            if (Unsafe.SizeOf<TStored>() < sizeof(float)) { Prefetch.Ahead(in weights, at, PanelColumns, NarrowAhead); }
            Add(
                x,
                TFormat.Load(in weights, at),
                TFormat.Load(in weights, at + Lanes.Count),
                TFormat.Load(in weights, at + (2 * Lanes.Count)),
                TFormat.Load(in weights, at + (3 * Lanes.Count)));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(ref float y, nuint at)
        {
            _0.StoreUnsafe(ref y, at);
            if (TVectors.Value > 1) { _1.StoreUnsafe(ref y, at + Lanes.Count); }
            if (TVectors.Value > 2) { _2.StoreUnsafe(ref y, at + (2 * Lanes.Count)); }
            if (TVectors.Value > 3) { _3.StoreUnsafe(ref y, at + (3 * Lanes.Count)); }
        }
    }

    // Numbers as types, so that the compiler knows them.
    private interface INumber
    {
        static abstract int Value { get; }
    }

    private readonly struct N1 : INumber
    {
        public static int Value => 1;
    }

    private readonly struct N2 : INumber
    {
        public static int Value => 2;
    }

    private readonly struct N3 : INumber
    {
        public static int Value => 3;
    }

    private readonly struct N4 : INumber
    {
        public static int Value => 4;
    }

    private readonly struct N5 : INumber
    {
        public static int Value => 5;
    }

    private readonly struct N6 : INumber
    {
        public static int Value => 6;
    }
}
