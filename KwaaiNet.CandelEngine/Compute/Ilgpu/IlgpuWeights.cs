using ILGPU;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>The weights of a range on the device.</summary>
internal sealed class IlgpuWeights : IDisposable
{
    private readonly IlgpuUpload _upload;

    /// <summary>Uploads the tensors; on any failure nothing stays allocated.</summary>
    internal IlgpuWeights(IlgpuDevice device, RangeTensors tensors, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        _upload = new IlgpuUpload(device, tensors.Bytes, progress, cancellationToken);
        try
        {
            if (tensors.Embedding is { } embedding) Embedding = _upload.Matrix(embedding);
            Blocks = Array.ConvertAll(tensors.Blocks, b => new IlgpuBlock(b, _upload));
            if (tensors.OutputNorm is { } norm) OutputNorm = _upload.Vector(norm);
            if (tensors.Output is { } output) Output = output == tensors.Embedding ? Embedding : _upload.Matrix(output);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal Projection? Embedding { get; }

    internal IlgpuBlock[] Blocks { get; }

    internal ArrayView<float> OutputNorm { get; }

    internal Projection? Output { get; }

    /// <summary>Bytes that a range's weights take on the device, in the groups they are uploaded in.</summary>
    internal static long BytesOf(RangeTensors tensors)
    {
        long bytes = tensors.Blocks.Sum(BytesOf);
        if (tensors.Embedding is { } embedding) bytes += Projection.BytesOf(embedding);
        if (tensors.OutputNorm is { } norm) bytes += BytesOf(norm);
        if (tensors.Output is { } output && output != tensors.Embedding) bytes += Projection.BytesOf(output);
        return bytes;
    }

    /// <summary>Bytes that one block's weights take.</summary>
    internal static long BytesOf(BlockTensors block)
    {
        long bytes = Projection.BytesOf(block.Query, block.Key, block.Value) + Projection.BytesOf(block.AttentionOutput);
        TensorData?[] vectors =
        [
            block.AttentionNorm, block.QueryBias, block.KeyBias, block.ValueBias, block.QueryNorm, block.KeyNorm,
            block.AttentionOutputBias, block.PostAttentionNorm, block.FeedForwardNorm, block.PostFeedForwardNorm,
        ];
        bytes += vectors.Sum(BytesOf);
        if (block.Router is { } router) bytes += Projection.BytesOf(router);
        foreach (FeedForwardTensors? layer in block.Experts.Append(block.FeedForward))
        {
            if (layer is null) continue;

            bytes += GatedProjection.BytesOf(layer.Gate, layer.Up) + Projection.BytesOf(layer.Down);
            bytes += BytesOf(layer.GateBias) + BytesOf(layer.UpBias) + BytesOf(layer.DownBias);
        }

        return bytes;
    }

    public void Dispose() => _upload.Dispose();

    private static long BytesOf(TensorData? vector) => (vector?.Columns ?? 0) * (long)sizeof(float);
}
