namespace HeadCluster.Models.Tests;

/// <summary>A small GPT with numbers of its own everywhere, and its files in both layouts.</summary>
internal sealed record Gpt(int Layers, int Heads, int HeadDim, bool Bias)
{
    public const int Vocabulary = 7;
    public const int Positions = 5;
    public const int FeedForwardDim = 9;

    public int Dim => Heads * HeadDim;

    public float[] TokenEmbedding => Matrix.Vector(901, Vocabulary * Dim);

    public float[] PositionEmbedding => Matrix.Vector(902, Positions * Dim);

    public Matrix Logits => new(903, Dim, Vocabulary, bias: false);

    public AttentionProjections Attention(int layer) => AttentionProjections.Create(layer, Dim, Heads, Heads, HeadDim, HeadDim, Bias);

    public Matrix Up(int layer) => new((10 * layer) + 5, Dim, FeedForwardDim, Bias);

    public Matrix Down(int layer) => new((10 * layer) + 6, FeedForwardDim, Dim, Bias);

    /// <summary>The norms have the seeds 10·layer + 7, 10·layer + 8 and 904.</summary>
    public NormWeights Norm(int seed) => new(Matrix.Vector(seed, Dim), Bias ? Matrix.Vector(-seed, Dim) : null);

    /// <summary>As minGPT stores it: weights <c>[out, in]</c>.</summary>
    public ModelFiles MinGpt() => Files("transformer.", outputsFirst: true, new()
    {
        ["model_type"] = "mingpt",
        ["block_size"] = Positions,
    });

    /// <summary>As Hugging Face stores it: weights <c>[in, out]</c>.</summary>
    public ModelFiles HuggingFace(string prefix = "transformer.") => Files(prefix, outputsFirst: false, new()
    {
        ["model_type"] = "gpt2",
        ["n_positions"] = Positions,
        ["n_ctx"] = Positions,
        ["activation_function"] = "gelu_new",
        ["layer_norm_epsilon"] = 1e-5,
    });

    private ModelFiles Files(string prefix, bool outputsFirst, Dictionary<string, object> config)
    {
        var files = new ModelFiles();
        config["n_layer"] = Layers;
        config["n_head"] = Heads;
        config["n_embd"] = Dim;
        config["vocab_size"] = Vocabulary;
        config["n_inner"] = FeedForwardDim;
        foreach (var (key, value) in config)
        {
            files.Config[key] = System.Text.Json.JsonSerializer.SerializeToNode(value);
        }

        files.Add($"{prefix}wte.weight", TokenEmbedding, Vocabulary, Dim);
        files.Add($"{prefix}wpe.weight", PositionEmbedding, Positions, Dim);
        for (var layer = 0; layer < Layers; layer++)
        {
            AddBlock(files, $"{prefix}h.{layer}.", layer, outputsFirst);
        }

        AddNorm(files, $"{prefix}ln_f", 904);
        files.AddLinear("lm_head", Logits, outputsFirst: true);
        return files;
    }

    private void AddBlock(ModelFiles files, string name, int layer, bool outputsFirst)
    {
        var attention = Attention(layer);
        files.Tensors.AddRange(outputsFirst
            ? attention.FusedOutputsFirst($"{name}attn.c_attn.weight", $"{name}attn.c_attn.bias")
            : attention.FusedInputsFirst($"{name}attn.c_attn.weight", $"{name}attn.c_attn.bias"));
        files.AddLinear($"{name}attn.c_proj", attention.Output, outputsFirst);
        files.AddLinear($"{name}mlp.c_fc", Up(layer), outputsFirst);
        files.AddLinear($"{name}mlp.c_proj", Down(layer), outputsFirst);
        AddNorm(files, $"{name}ln_1", (10 * layer) + 7);
        AddNorm(files, $"{name}ln_2", (10 * layer) + 8);
    }

    private void AddNorm(ModelFiles files, string name, int seed)
    {
        var norm = Norm(seed);
        files.Add($"{name}.weight", norm.Scale, Dim);
        if (norm.Bias is not null)
        {
            files.Add($"{name}.bias", norm.Bias, Dim);
        }
    }
}
