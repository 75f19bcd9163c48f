using System.Runtime.Intrinsics;
using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Activations;

public sealed class ElementaryTests
{
    // Prime, so that a sweep meets every exponent with ever other low digits.
    private const uint Step = 4099;

    public static TheoryData<string> Names => ["exp", "tanh", "erf"];

    [Theory]
    [InlineData("exp", 0.99)]
    [InlineData("tanh", 1.30)]
    [InlineData("erf", 1.70)]
    public void Function_over_all_exponents_is_within_its_stated_error(string name, double ulps)
    {
        for (ulong bits = 0; bits <= uint.MaxValue; bits += Step)
        {
            var x = BitConverter.UInt32BitsToSingle((uint)bits);
            var (expected, actual) = (Definition(name)(x), Function(name)(x));
            if (!double.IsFinite(expected) || float.IsInfinity((float)expected))
            {
                Assert.Equal((float)expected, actual);
                continue;
            }

            var error = Math.Abs(actual - expected) / Ulp(expected);
            Assert.True(error <= ulps, $"{name}({x:R}) is {actual:R}, {error} ulp from {expected:R}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Function_of_ascending_arguments_does_not_decrease(string name)
    {
        // Runs of neighbours all along the floats, and all of them around the joints of the approximations.
        int[] joints = [Bits(0.65f), Bits(0.34657359f), Bits(1.0397208f), Bits(4), Bits(9.02f), Bits(88.7228f), Bits(103.9f), 0x00800000];
        for (var start = 0; start < Bits(float.PositiveInfinity) - 300; start += 1_000_003)
        {
            Ascends(name, start, 200);
        }

        foreach (var joint in joints)
        {
            Ascends(name, joint - 2000, 4000);
        }
    }

    [Theory]
    [InlineData("exp", 1f, 0f, float.PositiveInfinity)]
    [InlineData("tanh", 0f, -1f, 1f)]
    [InlineData("erf", 0f, -1f, 1f)]
    public void Function_of_special_values_is_its_limit(string name, float atZero, float atMinusInfinity, float atInfinity)
    {
        var function = Function(name);
        Assert.Equal(atZero, function(0f));
        Assert.Equal(Bits(atZero == 0 ? -0f : atZero), Bits(function(-0f)));
        Assert.Equal(atMinusInfinity, function(float.NegativeInfinity));
        Assert.Equal(atInfinity, function(float.PositiveInfinity));
        Assert.Equal(atMinusInfinity, function(-float.MaxValue));
        Assert.Equal(atInfinity, function(float.MaxValue));
        foreach (var nan in (int[])[0x7FC00000, unchecked((int)0xFFC00000), 0x7FC01234])
        {
            Assert.Equal(nan, Bits(function(BitConverter.Int32BitsToSingle(nan))));
        }
    }

    [Theory]
    [InlineData("tanh")]
    [InlineData("erf")]
    public void Odd_function_keeps_the_sign_of_its_argument(string name)
    {
        foreach (var x in Data.Noise(1, 1000, 10).Append(0f).Append(float.Epsilon).Append(float.PositiveInfinity))
        {
            Assert.Equal(Bits(Function(name)(x)) ^ int.MinValue, Bits(Function(name)(-x)));
        }
    }

    [Fact]
    public void Exp_at_its_bounds_overflows_and_underflows_where_float32_does()
    {
        Assert.Equal(float.PositiveInfinity, Elementary.Exp(MathF.BitIncrement(88.72283f)));
        Assert.True(float.IsFinite(Elementary.Exp(88.72283f)));
        Assert.Equal(float.Epsilon, Elementary.Exp(-103.5f));
        Assert.Equal(0, Bits(Elementary.Exp(-104f)));
        Assert.True(float.IsSubnormal(Elementary.Exp(-87.5f)));
    }

    [Fact]
    public void Exp_of_a_denormal_of_either_sign_is_1()
    {
        for (var bits = 1; bits < 0x00800000; bits += 9973)
        {
            Assert.Equal(1, Elementary.Exp(BitConverter.Int32BitsToSingle(bits)));
            Assert.Equal(1, Elementary.Exp(-BitConverter.Int32BitsToSingle(bits)));
        }
    }

    [Theory]
    [InlineData("tanh", 1.0)]
    [InlineData("erf", 1.1283791670955126)]
    public void Function_of_a_denormal_is_its_slope_rounded_once(string name, double slope)
    {
        for (var bits = 1; bits < 0x00800000; bits += 9973)
        {
            var x = BitConverter.Int32BitsToSingle(bits);
            Assert.InRange(Math.Abs(Function(name)(x) - (slope * x)) / float.Epsilon, 0, 0.51);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Lane_does_not_depend_on_the_other_lanes(string name) => LanesAreApart(x => Vector(name, x), Data.Noise(2, 50, 100));

    /// <summary>Checks that a function gives each argument the same bits in any lane, whatever is beside it.</summary>
    internal static void LanesAreApart(Func<Vector512<float>, Vector512<float>> function, IEnumerable<float> arguments)
    {
        float[] others = [float.NaN, float.NegativeInfinity, float.PositiveInfinity, float.Epsilon, -float.Epsilon, -0f, -95, 1e30f, -1e30f];
        foreach (var x in arguments)
        {
            var expected = Bits(function(Vector512.Create(x))[0]);
            for (var lane = 0; lane < Lanes.Count; lane++)
            {
                var lanes = Vector512.Create(others[lane % others.Length]).WithElement(lane, x).WithElement((lane + 1) % Lanes.Count, float.NaN);
                Assert.Equal(expected, Bits(function(lanes)[lane]));
            }
        }
    }

    /// <summary>The distance of the floats around a value; below the smallest normal one it is the smallest denormal.</summary>
    internal static double Ulp(double value) => Math.ScaleB(1, Math.Max(value == 0 ? -149 : Math.ILogB(value) - 23, -149));

    private static void Ascends(string name, int start, int count)
    {
        var function = Function(name);
        var (above, below) = (float.NegativeInfinity, float.PositiveInfinity);
        for (var bits = start; bits < start + count; bits++)
        {
            var x = BitConverter.Int32BitsToSingle(bits);
            Assert.True(function(x) >= above && function(-x) <= below, $"{name} decreases at ±{x:R}");
            (above, below) = (function(x), function(-x));
        }
    }

    private static Func<float, float> Function(string name) =>
        name switch { "exp" => Elementary.Exp, "tanh" => Elementary.Tanh, _ => Elementary.Erf };

    private static Vector512<float> Vector(string name, Vector512<float> x) =>
        name switch { "exp" => Elementary.Exp(x), "tanh" => Elementary.Tanh(x), _ => Elementary.Erf(x) };

    private static Func<double, double> Definition(string name) =>
        name switch { "exp" => Math.Exp, "tanh" => Math.Tanh, _ => TransformerDefinition.Erf };

    private static int Bits(float value) => BitConverter.SingleToInt32Bits(value);
}
