using HeadCluster.Kernels.Tests.Simd;

namespace HeadCluster.Kernels.Tests.OneHash;

/// <summary>The bits of <see cref="KernelWorkload"/>, on every machine: as those of <see cref="LayerHashTests"/> they are the contract.</summary>
public sealed class KernelHashTests
{
    private static readonly Dictionary<string, string> Golden = new()
    {
        ["attention, rows 1"] = "360304a7a0ac5b1cbf93bef564ac701d045e1ba79d3a4dbeffc860f93cbc62c5",
        ["attention, rows 13"] = "63515c28e85c62ae11982564ef7ef8063caeaf886663e6b3d6acbfba591ba52e",
        ["product of BFloat16, rows 1"] = "c7971aaec70d64e12aeb566a9e356c0782beec175256479e3ffeef3c36e5e61d",
        ["product of BFloat16, rows 9"] = "f7cc61912d5825f23fba9753404b810a119f996c00ef98a15101f866f1963afd",
        ["product of Float16, rows 1"] = "d21b955935279c74b4037f7dd25a9881584d67e5f1637e687726d16e3ad05d9b",
        ["product of Float16, rows 9"] = "d404e8cf85ab82290b6d99c59072be16327138874d17962b7b86c65b11e0d321",
        ["product of Float32, rows 1"] = "6bf4c4e345d3b18ee3f727d6d719007bbe3dcc0177589c5c0f8ef2fed1f45f21",
        ["product of Float32, rows 9"] = "be13ebc6a8cc108af7352dae42271272ecc3f1cbd04d2588b7bf151903ef373c",
    };

    public static TheoryData<string> Variables => [.. InstructionSets.TakenBy.Keys];

    [Fact]
    public void Kernels_in_this_process_have_the_golden_bits() => Assert.Equal(Golden, KernelWorkload.Hashes());

    [Theory]
    [MemberData(nameof(Variables))]
    public async Task Kernels_without_an_instruction_set_have_the_golden_bits(string variable) =>
        Assert.Equal(Golden, (await ChildProcess.BitsWithoutAsync(variable)).Calls);
}
