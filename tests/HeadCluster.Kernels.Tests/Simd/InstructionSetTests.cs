using System.Diagnostics;

namespace HeadCluster.Kernels.Tests.Simd;

/// <summary>The same bits with other instructions: the runtime is told in a child process not to use some of this CPU's.</summary>
public sealed class InstructionSetTests
{
    // The bits are the same on every machine, so they can stand here. They change with a change of a kernel's arithmetic only.
    private const string Bits = "b6aa43f1cc22e1b96993f929b510bc11e1f6c49c9ac70593604847b97b1ee0c2";

    [Fact]
    public void Bits_of_this_process_are_those_of_every_machine() =>
        Assert.Equal(Bits, FixedWorkload.Describe().Split(' ')[0]);

    [Theory]
    [InlineData("DOTNET_EnableAVX512", 256)]
    [InlineData("DOTNET_EnableAVX2", 128)]
    [InlineData("DOTNET_EnableHWIntrinsic", 0)]
    [InlineData("DOTNET_TieredCompilation", 512)]
    public async Task Bits_without_an_instruction_set_or_tier_are_the_same(string knob, int widest)
    {
        // The runtime reads these settings as it starts.
        var program = Path.ChangeExtension(typeof(InstructionSetTests).Assembly.Location, OperatingSystem.IsWindows() ? ".exe" : null);
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        start.Environment[FixedWorkload.Variable] = "1";
        start.Environment[knob] = "0";
        using var child = Process.Start(start)!;
        var printed = (await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Trim().Split(' ');
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, child.ExitCode);
        Assert.Equal(Bits, printed[0]);
        Assert.InRange(int.Parse(printed[1]), 0, widest);
    }
}
