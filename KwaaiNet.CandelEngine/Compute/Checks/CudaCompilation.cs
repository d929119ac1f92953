using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Compute.Checks;

/// <summary>Compiles kernels for CUDA where there is no card: whether a published program still has all that the compiler looks for.</summary>
public static class CudaCompilation
{
    /// <summary>Compiles every plain kernel of the engine to PTX.</summary>
    /// <returns>Names of the kernels, in order.</returns>
    /// <exception cref="ComputeException">One cannot be compiled; the message names it.</exception>
    public static IReadOnlyList<string> Run()
    {
        using Context context = IlgpuDevice.CreateContext(_ => { });
        using PTXBackend backend = new(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!);
        List<string> compiled = [];
        foreach (MethodInfo kernel in Kernels())
        {
            string name = $"{kernel.DeclaringType!.Name}.{kernel.Name}";
            try
            {
                _ = backend.Compile(EntryPointDescription.FromImplicitlyGroupedKernel(kernel), default);
                compiled.Add(name);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new ComputeException($"Kernel {name} cannot be compiled for CUDA: {e.GetBaseException().Message}", e);
            }
        }

        return compiled;
    }

    // A kernel without groups of its own is given its index first; generic ones have more arguments than can be guessed.
    private static IEnumerable<MethodInfo> Kernels() => typeof(IlgpuBackend).Assembly.GetTypes()
        .Where(type => type.Namespace?.StartsWith(typeof(IlgpuBackend).Namespace!, StringComparison.Ordinal) == true && !type.IsGenericTypeDefinition)
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
        .Where(method => !method.IsGenericMethodDefinition && method.ReturnType == typeof(void) && method.GetParameters() is [{ } first, ..] && first.ParameterType == typeof(Index1D))
        .OrderBy(method => $"{method.DeclaringType!.Name}.{method.Name}", StringComparer.Ordinal);
}
