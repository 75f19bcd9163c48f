namespace HeadCluster.Kernels.Tests.Simd;

/// <summary>The same bits with other instructions: the runtime is told in a child process not to use some of this CPU's.</summary>
public sealed class InstructionSetTests
{
    // The bits are the same on every machine, so they can stand here. They change with a change of a kernel's arithmetic only.
    private const string Bits = "ebe753f5f312ccf1c8e43b4e6a1cbac3f96dbe7e57a9c8d08ffbb3dfb25b2e7f";

    public static TheoryData<string> Variables => [.. InstructionSets.TakenBy.Keys];

    [Fact]
    public async Task Bits_of_this_process_are_those_of_every_machine() => Assert.Equal(Bits, (await NumericsFingerprint.OfThisProcess).Hash);

    [Theory]
    [MemberData(nameof(Variables))]
    [InlineData("DOTNET_TieredCompilation")]
    public async Task Bits_without_an_instruction_set_or_tier_are_the_same(string variable) =>
        Assert.Equal(Bits, (await ChildProcess.BitsWithoutAsync(variable)).Kernels);

    // Otherwise the test above would compare this process with itself.
    [Theory]
    [MemberData(nameof(Variables))]
    public async Task Child_has_all_instructions_of_this_process_but_those_taken_away(string variable)
    {
        var taken = InstructionSets.TakenBy[variable];
        Assert.SkipUnless(InstructionSets.Here.Intersect(taken).Any(), $"this CPU has none of what {variable}=0 takes away");
        Assert.Equal(InstructionSets.Here.Except(taken), (await ChildProcess.BitsWithoutAsync(variable)).Instructions);
    }
}
