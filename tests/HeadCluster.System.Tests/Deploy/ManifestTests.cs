using HeadCluster.Silo;
using HeadCluster.Tests;
using k8s;
using k8s.Models;

namespace HeadCluster.System.Tests.Deploy;

public sealed class ManifestTests
{
    public static TheoryData<string> Files() =>
        [.. Directory.GetFiles(Repository.Find("deploy", "k8s")).Select(file => Path.GetFileName(file)).Where(file => file != "kustomization.yaml")];

    [Theory]
    [MemberData(nameof(Files))]
    public void Manifest_has_only_fields_that_Kubernetes_knows(string file)
    {
        var objects = KubernetesYaml.LoadAllFromString(File.ReadAllText(Repository.Find("deploy", "k8s", file)), strict: true);

        Assert.NotEmpty(objects);
        Assert.All(objects, item => Assert.False(string.IsNullOrEmpty(((IKubernetesObject<V1ObjectMeta>)item).Metadata.Name)));
    }

    [Fact]
    public void Manifest_with_a_field_that_Kubernetes_does_not_know_is_found()
    {
        var silo = File.ReadAllText(Repository.Find("deploy", "k8s", "silo.yaml")).Replace("readinessProbe:", "readynessProbe:", StringComparison.Ordinal);

        Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString(silo, strict: true));
    }

    [Fact]
    public void Silo_manifest_agrees_with_itself_and_with_the_silo()
    {
        var objects = KubernetesYaml.LoadAllFromString(File.ReadAllText(Repository.Find("deploy", "k8s", "silo.yaml")), strict: true);
        var deployment = Assert.Single(objects.OfType<V1Deployment>()).Spec;
        var budget = Assert.Single(objects.OfType<V1PodDisruptionBudget>()).Spec;
        var container = Assert.Single(deployment.Template.Spec.Containers);
        var health = container.Env.Single(variable => variable.Name == "HeadCluster__Silo__HealthPort").Value;

        Assert.Equal(deployment.Template.Metadata.Labels["app.kubernetes.io/name"], deployment.Selector.MatchLabels["app.kubernetes.io/name"]);
        Assert.Equal(deployment.Selector.MatchLabels, budget.Selector.MatchLabels);
        Assert.Equal(ClusterDefaults.Id, deployment.Template.Metadata.Labels["orleans/clusterId"]);
        Assert.Equal(health, container.Ports.Single(port => port.Name == container.ReadinessProbe.HttpGet.Port).ContainerPort.ToString());
        Assert.Equal(("/health/ready", "/health/live"), (container.ReadinessProbe.HttpGet.Path, container.LivenessProbe.HttpGet.Path));
        Assert.True(deployment.Template.Spec.TerminationGracePeriodSeconds > new SiloHostOptions().ShutdownTimeout.TotalSeconds);
    }

    [Fact]
    public async Task Kustomization_puts_all_manifests_together()
    {
        var built = await Tool.SucceedAsync(Tool.Require("kubectl"), "kustomize", Repository.Find("deploy", "k8s"));

        var kinds = KubernetesYaml.LoadAllFromString(built, strict: true).Select(item => ((IKubernetesObject)item).Kind).Order();
        Assert.Equal(
            ["Deployment", "PodDisruptionBudget", "Role", "RoleBinding", "Service", "ServiceAccount", "StatefulSet"],
            kinds);
    }
}
