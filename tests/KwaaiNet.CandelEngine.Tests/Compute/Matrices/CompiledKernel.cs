using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Tests.Compute.Matrices;

/// <summary>A kernel compiled to PTX, which needs no GPU.</summary>
internal sealed class CompiledKernel
{
    private CompiledKernel(string text) => Text = text;

    /// <summary>The entry point; functions before it are those that intrinsics stand for, and nobody calls them.</summary>
    public string Text { get; }

    /// <summary>Compiles a kernel with explicit groups for compute capability 8.0, the highest that ILGPU names.</summary>
    public static CompiledKernel Of(Type type, string name, Type[] arguments, int groupSize, int leastGroups = 1)
    {
        MethodInfo method = type.GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!;
        if (arguments.Length > 0) method = method.MakeGenericMethod(arguments);
        using Context context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).WithPtxIntrinsics());
        using PTXBackend backend = new(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!);
        var compiled = (PTXCompiledKernel)backend.Compile(
            EntryPointDescription.FromExplicitlyGroupedKernel(method), new KernelSpecialization(groupSize, leastGroups));
        string text = compiled.PTXAssembly;
        return new CompiledKernel(text[text.IndexOf(".entry", StringComparison.Ordinal)..]);
    }

    public int Count(string instruction) => Regex.Count(Text, $@"\s{Regex.Escape(instruction)}");
}
