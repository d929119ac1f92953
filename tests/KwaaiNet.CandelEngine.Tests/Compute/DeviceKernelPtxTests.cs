using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>A block's kernels compile for CUDA, which needs no GPU: a kernel that uses what a device lacks is found here and not on a user's machine.</summary>
public sealed partial class DeviceKernelPtxTests
{
    private static readonly Type[] s_formats = [typeof(KvSingles), typeof(KvHalves)];

    private static readonly Type[] s_heads = [typeof(Head64), typeof(Head80), typeof(Head96), typeof(Head128), typeof(Head256), typeof(AnyHead)];

    /// <summary>Kernels for devices without warps.</summary>
    public static TheoryData<Type, string, Type?> PortableKernels
    {
        get
        {
            TheoryData<Type, string, Type?> kernels = [];
            foreach (MethodInfo method in KernelsOf(typeof(ElementKernels)).Concat(KernelsOf(typeof(PortableNorms)))) kernels.Add(method.DeclaringType!, method.Name, null);
            foreach (Type format in s_formats)
            {
                kernels.Add(typeof(PortableHeads), nameof(PortableHeads.Place), format);
                kernels.Add(typeof(PortableAttention), nameof(PortableAttention.Attend), format);
            }

            return kernels;
        }
    }

    /// <summary>Attention's kernels, for each size of head and each format.</summary>
    public static TheoryData<Type, Type> AttentionKernels
    {
        get
        {
            TheoryData<Type, Type> kernels = [];
            foreach (Type head in s_heads)
            {
                foreach (Type format in s_formats) kernels.Add(head, format);
            }

            return kernels;
        }
    }

    [Theory]
    [MemberData(nameof(PortableKernels))]
    public void Portable_kernels_use_no_barriers_and_no_doubles(Type type, string name, Type? format)
    {
        MethodInfo kernel = KernelsOf(type).Single(m => m.Name == name);
        if (format is not null) kernel = kernel.MakeGenericMethod(format);

        string ptx = Compile(EntryPointDescription.FromImplicitlyGroupedKernel(kernel));

        Assert.DoesNotContain(".f64", ptx, StringComparison.Ordinal); // double arithmetic crawls on most GPUs
        Assert.DoesNotContain("bar.sync", ptx, StringComparison.Ordinal);
        Assert.DoesNotContain("shfl", ptx, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AttentionKernels))]
    public void Attention_reads_by_128_bits_and_keeps_to_registers(Type head, Type format)
    {
        MethodInfo kernel = KernelsOf(typeof(CudaAttention)).Single(m => m.Name == nameof(CudaAttention.Attend)).MakeGenericMethod(head, format);

        string ptx = Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel));

        AssertKeepsToRegisters(ptx);
        Assert.Contains("ld.global.v4.b32", ptx, StringComparison.Ordinal);
        Assert.Contains("ld.shared.v4.f32", ptx, StringComparison.Ordinal);
        Assert.Contains("shfl.sync", ptx, StringComparison.Ordinal);
        Assert.Contains("membar.gl", ptx, StringComparison.Ordinal);
        Assert.Equal(format == typeof(KvHalves), ptx.Contains("mov.b32\t{%rs", StringComparison.Ordinal)); // pairs of binary16
        AssertNothingIsContracted(ptx);
    }

    [Theory]
    [InlineData(nameof(CudaNorms.Norm))]
    [InlineData(nameof(CudaNorms.AddNormed))]
    public void Norms_keep_to_registers(string name)
    {
        string ptx = Compile(EntryPointDescription.FromExplicitlyGroupedKernel(KernelsOf(typeof(CudaNorms)).Single(m => m.Name == name)));

        AssertKeepsToRegisters(ptx);
        AssertNothingIsContracted(ptx);
    }

    [Theory]
    [InlineData(typeof(KvSingles))]
    [InlineData(typeof(KvHalves))]
    public void Placing_heads_keeps_to_registers(Type format)
    {
        MethodInfo kernel = KernelsOf(typeof(CudaHeads)).Single(m => m.Name == nameof(CudaHeads.Place)).MakeGenericMethod(format);

        string ptx = Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel));

        AssertKeepsToRegisters(ptx);
        AssertNothingIsContracted(ptx);
    }

    private static void AssertKeepsToRegisters(string ptx)
    {
        Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal);
        Assert.DoesNotContain(".f64", ptx, StringComparison.Ordinal);
    }

    // A plain sum next to a plain product may become one operation in one kernel and two in another; a sum that says how it rounds may not.
    private static void AssertNothingIsContracted(string ptx) => Assert.Empty(PlainSum().Matches(ptx).Select(m => m.Value));

    // One half is what rounding to binary16 adds to numbers made of bits: no product is near.
    [GeneratedRegex(@"\b(add|sub)\.f32(?!.*0f3F000000).*")]
    private static partial Regex PlainSum();

    private static string Compile(EntryPointDescription kernel)
    {
        using Context context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).WithPtxIntrinsics());
        using PTXBackend backend = new(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!);
        var compiled = (PTXCompiledKernel)backend.Compile(kernel, default);
        Assert.Contains(".entry", compiled.PTXAssembly, StringComparison.Ordinal);
        return compiled.PTXAssembly;
    }

    private static IEnumerable<MethodInfo> KernelsOf(Type type) =>
        type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic).Where(m => m.IsAssembly && m.ReturnType == typeof(void));
}
