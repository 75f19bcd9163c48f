using CsCheck;

namespace HeadCluster.Tests.Identity;

public sealed class HeadIdTests
{
    [Fact]
    public void Any_head_and_layer_is_read_back_from_its_key() =>
        Gen.Select(Gen.Char["abz09-.:?=& "].Array[1, 12], Gen.Int[0, int.MaxValue], Gen.Int[0, int.MaxValue]).Sample((name, layer, kvHead) =>
        {
            var head = new HeadId(new string(name), layer, kvHead);
            Assert.Equal(head, HeadId.Parse(head.ToString()));
            Assert.Equal(head.LayerId, LayerId.Parse(head.LayerId.ToString()));
            Assert.Equal(head, head.LayerId.Head(kvHead));
        });

    [Theory]
    [InlineData("")]
    [InlineData("nano")]
    [InlineData("nano/0")]
    [InlineData("/0/0")]
    [InlineData("a/b/0/0")]
    [InlineData("nano/-1/0")]
    [InlineData("nano/0/+1")]
    [InlineData("nano/0/ 1")]
    [InlineData("nano/0/99999999999")]
    [InlineData("nano/0/0/")]
    public void A_key_of_another_form_is_refused(string key)
    {
        Assert.False(HeadId.TryParse(key, out _));
        var error = Assert.Throws<HeadClusterException>(() => HeadId.Parse(key));
        Assert.Contains($"'{key}'", error.Message, StringComparison.Ordinal);
        Assert.Equal(HeadClusterErrorKind.InvalidInput, error.Kind);
    }
}
