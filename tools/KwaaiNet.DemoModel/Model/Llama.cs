using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace KwaaiNet.DemoModel.Model;

/// <summary>The model as plain tensors under their GGUF names, and the forward pass over them.</summary>
/// <remarks>
/// Rotary pairs are neighbours (2i, 2i + 1), the layout GGUF's <c>llama</c> architecture stores, so that export copies and permutes
/// nothing. A matrix is [outputs, inputs], which in ggml's order reads (inputs, outputs).
/// </remarks>
internal sealed class Llama : IDisposable
{
    private readonly Dictionary<string, Tensor> _weights = new(StringComparer.Ordinal);
    private readonly Tensor _rotations;

    public Llama(int seed)
    {
        random.manual_seed(seed);
        AddMatrix("token_embd.weight", ModelShape.Vocabulary, ModelShape.Width, 0.02);
        for (int block = 0; block < ModelShape.Blocks; block++)
        {
            string prefix = $"blk.{block}.";
            AddNorm(prefix + "attn_norm.weight");
            AddMatrix(prefix + "attn_q.weight", ModelShape.Width, ModelShape.Width, 0.04);
            AddMatrix(prefix + "attn_k.weight", ModelShape.KeyValueWidth, ModelShape.Width, 0.04);
            AddMatrix(prefix + "attn_v.weight", ModelShape.KeyValueWidth, ModelShape.Width, 0.04);
            AddMatrix(prefix + "attn_output.weight", ModelShape.Width, ModelShape.Width, 0); // zero: a block starts out as the identity
            AddNorm(prefix + "ffn_norm.weight");
            AddMatrix(prefix + "ffn_gate.weight", ModelShape.FeedForward, ModelShape.Width, 0.04);
            AddMatrix(prefix + "ffn_up.weight", ModelShape.FeedForward, ModelShape.Width, 0.04);
            AddMatrix(prefix + "ffn_down.weight", ModelShape.Width, ModelShape.FeedForward, 0);
        }

        AddNorm("output_norm.weight");
        _rotations = MakeRotations();
    }

    /// <summary>Every weight under its GGUF name, in the order they stand in the file.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => _weights;

    public long ParameterCount => _weights.Values.Sum(weight => weight.NumberOfElements);

    /// <summary>Scores for the next token at every position.</summary>
    /// <param name="tokens">Ids, [batch, positions].</param>
    /// <returns>[batch · positions, vocabulary], not normalised.</returns>
    public Tensor Forward(Tensor tokens)
    {
        long batch = tokens.shape[0], positions = tokens.shape[1];
        Tensor embedding = _weights["token_embd.weight"];
        Tensor rotations = _rotations.narrow(1, 0, positions);
        Tensor state = embedding.index_select(0, tokens.reshape(-1)).reshape(batch, positions, ModelShape.Width);
        for (int block = 0; block < ModelShape.Blocks; block++)
        {
            string prefix = $"blk.{block}.";
            Tensor normed = Norm(state, prefix + "attn_norm.weight");
            Tensor queries = Rotate(Heads(normed, prefix + "attn_q.weight", ModelShape.Heads), rotations);
            Tensor keys = Rotate(Heads(normed, prefix + "attn_k.weight", ModelShape.KeyValueHeads), rotations);
            Tensor values = Heads(normed, prefix + "attn_v.weight", ModelShape.KeyValueHeads);
            Tensor attended = F.scaled_dot_product_attention(queries, Share(keys), Share(values), is_casual: true);
            attended = attended.transpose(1, 2).reshape(batch, positions, ModelShape.Width);
            state = state + F.linear(attended, _weights[prefix + "attn_output.weight"]);

            normed = Norm(state, prefix + "ffn_norm.weight");
            Tensor gate = F.silu(F.linear(normed, _weights[prefix + "ffn_gate.weight"]));
            Tensor up = F.linear(normed, _weights[prefix + "ffn_up.weight"]);
            state = state + F.linear(gate * up, _weights[prefix + "ffn_down.weight"]);
        }

        return F.linear(Norm(state, "output_norm.weight"), embedding).reshape(batch * positions, ModelShape.Vocabulary);

        Tensor Heads(Tensor input, string weight, int heads) =>
            F.linear(input, _weights[weight]).reshape(batch, positions, heads, ModelShape.HeadSize).transpose(1, 2);
    }

    public void Dispose()
    {
        foreach (Tensor weight in _weights.Values)
            weight.Dispose();
        _rotations.Dispose();
    }

    /// <summary>Key/value head h serves the query heads 2h and 2h + 1.</summary>
    private static Tensor Share(Tensor keysOrValues) =>
        keysOrValues.repeat_interleave(ModelShape.Heads / ModelShape.KeyValueHeads, dim: 1);

    /// <summary>Turns the pair (2i, 2i + 1) of each head by its position's angle: one complex multiplication.</summary>
    private static Tensor Rotate(Tensor heads, Tensor rotations)
    {
        long[] shape = heads.shape;
        Tensor pairs = view_as_complex(heads.reshape(shape[0], shape[1], shape[2], ModelShape.HeadSize / 2, 2).contiguous());
        return view_as_real(pairs * rotations).reshape(shape);
    }

    private static Tensor MakeRotations()
    {
        using IDisposable _ = NewDisposeScope();
        Tensor frequencies = pow(ModelShape.RopeBase, arange(0, ModelShape.HeadSize, 2, dtype: ScalarType.Float32) * (-1.0 / ModelShape.HeadSize));
        Tensor angles = outer(arange(ModelShape.Context, dtype: ScalarType.Float32), frequencies);
        return view_as_complex(stack([angles.cos(), angles.sin()], -1).contiguous()).unsqueeze(0).MoveToOuterDisposeScope();
    }

    private Tensor Norm(Tensor input, string weight) =>
        input * rsqrt(input.square().mean([-1], keepdim: true) + ModelShape.NormEpsilon) * _weights[weight];

    private void AddMatrix(string name, long outputs, long inputs, double deviation) =>
        _weights.Add(name, (randn(outputs, inputs) * deviation).DetachFromDisposeScope().requires_grad_());

    private void AddNorm(string name) => _weights.Add(name, ones(ModelShape.Width).DetachFromDisposeScope().requires_grad_());
}
