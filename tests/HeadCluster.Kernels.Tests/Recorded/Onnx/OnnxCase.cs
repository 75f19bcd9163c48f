using HeadCluster.Tests;

namespace HeadCluster.Kernels.Tests.Recorded.Onnx;

/// <summary>One node test: the operator, its attributes, and recorded inputs and outputs by position, null where one is left out.</summary>
internal sealed class OnnxCase
{
    private readonly Dictionary<string, (long Integer, float Float, string Text)> _attributes = [];
    private readonly List<string> _inputs = [];
    private readonly List<string> _outputs = [];
    private readonly Dictionary<string, OnnxTensor> _recorded = [];

    private OnnxCase(string folder)
    {
        // ModelProto.graph = 7, GraphProto.node = 1
        for (var model = new ProtobufReader(File.ReadAllBytes(Path.Combine(folder, "model.onnx"))); model.Read();)
        {
            for (var graph = new ProtobufReader(model.Field == 7 ? model.Bytes : default); graph.Read();)
            {
                if (graph.Field == 1)
                {
                    ReadNode(graph.Bytes);
                }
            }
        }

        foreach (var file in Directory.GetFiles(Path.Combine(folder, "test_data_set_0"), "*.pb"))
        {
            var tensor = OnnxTensor.Parse(File.ReadAllBytes(file));
            _recorded.Add(tensor.Name, tensor);
        }
    }

    public string Operator { get; private set; } = "";

    public int OutputCount => _outputs.Count;

    /// <summary>Names of the recorded cases of an operator; one row that will report itself as skipped where there are none.</summary>
    public static TheoryData<string> Named(string operatorName)
    {
        var root = Environment.GetEnvironmentVariable(Cases.Variable);
        return string.IsNullOrEmpty(root)
            ? [operatorName]
            : [.. AllNames(Path.Combine(root, "onnx")).Where(name => new OnnxCase(Path.Combine(root, "onnx", name)).Operator == operatorName)];
    }

    public static IEnumerable<string> AllNames(string folder) => Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)).Order();

    public static OnnxCase Load(string name) => new(Cases.Find("onnx", name));

    public OnnxTensor? Input(int index) => Find(_inputs, index);

    public OnnxTensor? Output(int index) => Find(_outputs, index);

    public int Integer(string name, int fallback) => _attributes.TryGetValue(name, out var value) ? (int)value.Integer : fallback;

    public float Float(string name, float fallback) => _attributes.TryGetValue(name, out var value) ? value.Float : fallback;

    public string Text(string name, string fallback) => _attributes.TryGetValue(name, out var value) ? value.Text : fallback;

    /// <summary>Fails where the case has an attribute that the test does not know.</summary>
    public void CheckAttributes(params string[] known) => Assert.Empty(_attributes.Keys.Except(known));

    private OnnxTensor? Find(List<string> names, int index) => index < names.Count && names[index] != "" ? _recorded[names[index]] : null;

    // NodeProto: input = 1, output = 2, op_type = 4, attribute = 5
    private void ReadNode(ReadOnlySpan<byte> message)
    {
        for (var node = new ProtobufReader(message); node.Read();)
        {
            switch (node.Field)
            {
                case 1:
                    _inputs.Add(node.Text);
                    break;
                case 2:
                    _outputs.Add(node.Text);
                    break;
                case 4:
                    Operator = node.Text;
                    break;
                case 5:
                    ReadAttribute(node.Bytes);
                    break;
            }
        }
    }

    // AttributeProto: name = 1, f = 2, i = 3, s = 4
    private void ReadAttribute(ReadOnlySpan<byte> message)
    {
        var (name, integer, number, text) = ("", 0L, 0f, "");
        for (var attribute = new ProtobufReader(message); attribute.Read();)
        {
            switch (attribute.Field)
            {
                case 1:
                    name = attribute.Text;
                    break;
                case 2:
                    number = attribute.Float;
                    break;
                case 3:
                    integer = attribute.Integer;
                    break;
                case 4:
                    text = attribute.Text;
                    break;
            }
        }

        _attributes.Add(name, (integer, number, text));
    }
}
