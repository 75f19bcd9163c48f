using HeadCluster.Grains;
using HeadCluster.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.Tests.Loading;

public sealed class ModelCatalogTests
{
    // Not a ModelException: the system's own calls refuse such a path.
    private const string NoPath = "no\npath\0";

    private readonly HeadClusterOptions _options = new();
    private readonly ModelCatalog _models;

    public ModelCatalogTests() =>
        _models = new(Options.Create(_options), Host.CreateEmptyApplicationBuilder(settings: null).Environment);

    [Fact]
    public void Model_that_cannot_be_opened_for_whatever_reason_is_told_of_beside_the_others()
    {
        _options.Models["broken"] = new() { Path = NoPath };
        _options.Models["whole"] = new() { Path = "random:nano" };

        var error = Assert.Throws<HeadClusterException>(() => _models.Open("broken"));
        Assert.Equal(HeadClusterErrorKind.InvalidModel, error.Kind);
        Assert.StartsWith("model 'broken': no path", error.Message, StringComparison.Ordinal);
        var (models, broken) = _models.DescribeAll();
        Assert.Equal("whole", Assert.Single(models).Name);
        Assert.Equal([new BrokenModel("broken", error.Message)], broken);
    }

    [Fact]
    public void Model_that_could_not_be_opened_for_whatever_reason_is_opened_again()
    {
        var model = _options.Models["model"] = new() { Path = NoPath };
        Assert.Throws<HeadClusterException>(() => _models.Open("model"));

        model.Path = "random:nano";

        Assert.Equal(48, _models.Open("model").Configuration.ModelDim);
    }
}
