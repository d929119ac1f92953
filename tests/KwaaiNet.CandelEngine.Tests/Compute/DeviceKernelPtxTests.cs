using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Kernels compile for CUDA, which needs no GPU: a kernel that uses what a device lacks is found here and not on a user's machine.</summary>
public sealed class DeviceKernelPtxTests
{
    private static readonly Type[] s_weights =
        [.. typeof(IDeviceWeights).Assembly.GetTypes().Where(t => t.IsValueType && t.IsAssignableTo(typeof(IDeviceWeights)))];

    public static TheoryData<string, Type?> Kernels
    {
        get
        {
            TheoryData<string, Type?> kernels = [];
            foreach (MethodInfo method in KernelMethods())
            {
                if (!method.IsGenericMethodDefinition)
                {
                    kernels.Add(method.Name, null);
                    continue;
                }

                foreach (Type weights in s_weights)
                    kernels.Add(method.Name, weights);
            }

            return kernels;
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Every_kernel_compiles_to_ptx(string name, Type? weights)
    {
        MethodInfo kernel = KernelMethods().Single(m => m.Name == name);
        if (weights is not null) kernel = kernel.MakeGenericMethod(weights);
        using Context context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).UsePtxIntrinsics());
        using PTXBackend backend = new(context, CudaArchitecture.SM_70, CudaInstructionSet.ISA_70, null!);

        var compiled = (PTXCompiledKernel)backend.Compile(EntryPointDescription.FromImplicitlyGroupedKernel(kernel), default);

        Assert.Contains(".entry", compiled.PTXAssembly, StringComparison.Ordinal);
        Assert.DoesNotContain(".f64", compiled.PTXAssembly, StringComparison.Ordinal); // double arithmetic crawls on most GPUs
        Assert.DoesNotContain("bar.sync", compiled.PTXAssembly, StringComparison.Ordinal);
    }

    private static IEnumerable<MethodInfo> KernelMethods() =>
        typeof(DeviceKernels).GetMethods(BindingFlags.Static | BindingFlags.NonPublic).Where(m => m.IsAssembly);
}
