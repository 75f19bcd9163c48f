using System.Runtime.InteropServices;
using CsCheck;
using HeadCluster.Cli.Files;
using HeadCluster.Models;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests.Files;

public sealed class NpyTests
{
    private const string Header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

    private static readonly float[] Values = [1, -2.5f, 0, float.MaxValue, float.Epsilon, -0f];

    [Fact]
    public void Matrix_of_any_shape_comes_back_bit_by_bit()
    {
        var matrices =
            from rows in Gen.Int[0, 40]
            from columns in Gen.Int[0, 1000]
            from bits in Gen.Int.Array[rows * columns]
            select new FloatTensor(Array.ConvertAll(bits, BitConverter.Int32BitsToSingle), rows, columns);
        using var folder = new TemporaryDirectory();
        var path = folder.File("x.npy");

        matrices.Sample(
            matrix =>
            {
                NpyWriter.Write(path, matrix);
                var back = NpyReader.Read(path);
                return back.Shape.SequenceEqual(matrix.Shape)
                    && MemoryMarshal.AsBytes(back.Span).SequenceEqual(MemoryMarshal.AsBytes(matrix.Span));
            },
            iter: 100,
            threads: 1);
    }

    [Fact]
    public void Written_file_is_of_version_1_with_its_elements_aligned()
    {
        using var folder = new TemporaryDirectory();
        NpyWriter.Write(folder.File("x.npy"), new FloatTensor(Values, 2, 3));

        var bytes = File.ReadAllBytes(folder.File("x.npy"));

        Assert.Equal([0x93, .. "NUMPY"u8, 1, 0], bytes[..8]);
        Assert.Equal(0, (bytes.Length - (Values.Length * sizeof(float))) % 64);
        Assert.Equal((byte)'\n', bytes[^((Values.Length * sizeof(float)) + 1)]);
    }

    [Theory]
    [InlineData(1, Header)]
    [InlineData(2, Header)]
    [InlineData(3, Header)]
    [InlineData(1, "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f4'}")]
    [InlineData(1, "  { \"descr\" : \"<f4\" , 'fortran_order':False,'shape':(2,3,) , }   ")]
    public void Every_version_and_spelling_of_the_header_is_read(byte version, string header)
    {
        var matrix = Read(Inputs.Npy(header, MemoryMarshal.AsBytes(Values.AsSpan()).ToArray(), version));

        Assert.Equal([2, 3], matrix.Shape);
        Assert.Equal(Values, matrix.Span);
    }

    [Fact]
    public void Half_and_double_become_float32()
    {
        Half[] halves = [(Half)0.1, Half.MaxValue, Half.Epsilon];
        double[] doubles = [0.1, Math.PI, 1e-50];

        var fromHalf = Read(Inputs.Npy(Header.Replace("<f4", "<f2").Replace("2, 3", "3, 1"), MemoryMarshal.AsBytes(halves.AsSpan()).ToArray()));
        var fromDouble = Read(Inputs.Npy(Header.Replace("<f4", "<f8").Replace("2, 3", "1, 3"), MemoryMarshal.AsBytes(doubles.AsSpan()).ToArray()));

        Assert.Equal(Array.ConvertAll(halves, half => (float)half), fromHalf.Span);
        Assert.Equal(Array.ConvertAll(doubles, number => (float)number), fromDouble.Span);
    }

    [Theory]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", "'>f4'")]
    [InlineData("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }", "'<i4'")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", "lacks a")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "Fortran order")]
    [InlineData("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }", "neither True nor False")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "[6]")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "[]")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", "[1, 2, 3]")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3), }", "whole numbers")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3000000000), }", "whole numbers")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647), }", "holds at most 536870902")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", "24 bytes follow its header; the shape [2, 4] of '<f4' takes 32; is it truncated?")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", "24 bytes follow its header; the shape [2, 2] of '<f4' takes 16")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", "needs descr")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", "'descr'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': '1', }", "'more'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } + evil()", "goes on after its end")]
    [InlineData("{'descr': '<f4", "without end")]
    [InlineData("", "lacks a '{'")]
    public void Header_that_promises_no_matrix_of_floats_is_refused(string header, string because)
    {
        var error = Assert.Throws<ModelException>(() => Read(Inputs.Npy(header, new byte[24])));

        Assert.Contains(because, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void File_cut_off_anywhere_is_refused()
    {
        var whole = Inputs.Npy(Header, new byte[24]);

        Assert.All(Enumerable.Range(0, whole.Length), length => Assert.Throws<ModelException>(() => Read(whole[..length])));
    }

    [Fact]
    public void Bytes_after_the_elements_are_refused() =>
        Assert.Throws<ModelException>(() => Read(Inputs.Npy(Header, new byte[25])));

    [Fact]
    public void Unknown_version_is_refused()
    {
        var bytes = Inputs.Npy(Header, new byte[24]);
        bytes[6] = 4;

        Assert.Contains("version 4", Assert.Throws<ModelException>(() => Read(bytes)).Message, StringComparison.Ordinal);
    }

    private static FloatTensor Read(byte[] bytes)
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllBytes(folder.File("x.npy"), bytes);
        return NpyReader.Read(folder.File("x.npy"));
    }
}
