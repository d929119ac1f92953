using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute;

/// <summary>A device that can hold and run transformer blocks: <c>cpu</c> (SIMD) or <c>ilgpu</c> (CUDA, OpenCL, ILGPU's CPU accelerator).</summary>
/// <remarks>
/// Every backend passes the same conformance suite (<c>Category=ComputeConformance</c>) and keeps the same promise: one token's
/// result does not depend on batch size, on prefill versus decode, on where the stack is cut, or on a replay — bit for bit.
/// A backend is safe for concurrent use; the stacks it loads are not.
/// </remarks>
public interface IComputeBackend : IDisposable
{
    /// <summary>The name a user types: <c>cpu</c> or <c>ilgpu</c>.</summary>
    string Name { get; }

    /// <summary>What the blocks run on, as the device itself reports it.</summary>
    ComputeDevice Device { get; }

    /// <summary>What a range of blocks would take on the device, and what the device has for it. Nothing is loaded, and no weight is read.</summary>
    /// <param name="model">The open model file.</param>
    /// <param name="options">Which blocks, and the KV budget: <see cref="long.MaxValue"/> stands for what the weights leave.</param>
    /// <exception cref="ArgumentException">The options ask for something the model does not have there.</exception>
    /// <exception cref="ModelFormatException">A tensor of the range is missing, has the wrong shape or a type this backend cannot run.</exception>
    BlockMemory MemoryFor(ModelFile model, BlockStackOptions options);

    /// <summary>Loads blocks <c>[FirstBlock, EndBlock)</c> of a model, with embedding and output head where asked for.</summary>
    /// <param name="model">The open model file; only the tensors of the asked blocks are read. It must outlive the stack.</param>
    /// <param name="options">Which blocks, and how many bytes of KV cache may exist at once.</param>
    /// <param name="progress">Told the fraction done, 0 to 1; may be null.</param>
    /// <param name="cancellationToken">Stops the load; nothing stays allocated.</param>
    /// <exception cref="ModelFormatException">A tensor is missing, has the wrong shape or a type this backend cannot run.</exception>
    /// <exception cref="InsufficientMemoryException">The blocks do not fit the device; the message gives both numbers.</exception>
    IBlockStack Load(ModelFile model, BlockStackOptions options, IProgress<double>? progress = null, CancellationToken cancellationToken = default);
}
