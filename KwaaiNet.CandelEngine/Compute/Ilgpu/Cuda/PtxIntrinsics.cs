using System.Reflection;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.IR.Values;
using ILGPU.Runtime.Cuda;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

/// <summary>The PTX instructions behind methods that other accelerators run as they stand.</summary>
/// <remarks>
/// ILGPU's own inline assembly, <c>CudaAsm.Emit</c>, hands results over through local memory; a code generator writes them where values
/// live, in registers. ILGPU shows no compiler the body of such a method: those for OpenCL, and for cards too old for an instruction, are
/// sent to <see cref="PlainOperations"/>, and the CPU accelerator calls the method itself.
/// </remarks>
internal static class PtxIntrinsics
{
    /// <summary>Tells a context about to be built; without it no GPU's kernels can be compiled.</summary>
    internal static Context.Builder WithPtxIntrinsics(this Context.Builder builder)
    {
        IntrinsicImplementationManager manager = builder.GetIntrinsicManager();
        Register(typeof(Rounded), nameof(Rounded.Multiply), nameof(Multiply), CudaArchitecture.SM_30);
        Register(typeof(Rounded), nameof(Rounded.Add), nameof(Add), CudaArchitecture.SM_30);
        Register(typeof(Rounded), nameof(Rounded.Fma), nameof(Fma), CudaArchitecture.SM_30);
        Register(typeof(DeviceMath), nameof(DeviceMath.HalfToSingle), nameof(HalfToSingle), CudaArchitecture.SM_53);
        Register(typeof(HalfPair), nameof(HalfPair.Low), nameof(Low), CudaArchitecture.SM_53);
        Register(typeof(HalfPair), nameof(HalfPair.High), nameof(High), CudaArchitecture.SM_53);
        Register(typeof(Dot4), nameof(Dot4.Signed), nameof(SignedDot), CudaArchitecture.SM_61);
        Register(typeof(Dot4), nameof(Dot4.Mixed), nameof(MixedDot), CudaArchitecture.SM_61);
        Register(typeof(TensorCores), nameof(TensorCores.Bytes), nameof(Bytes), CudaArchitecture.SM_80);
        Register(typeof(TensorCores), nameof(TensorCores.MixedBytes), nameof(MixedBytes), CudaArchitecture.SM_80);
        Register(typeof(TensorCores), nameof(TensorCores.HalfBytes), nameof(HalfBytes), CudaArchitecture.SM_80);
        Register(typeof(TensorCores), nameof(TensorCores.Halves), nameof(Halves), CudaArchitecture.SM_80);
        Register(typeof(TensorCores), nameof(TensorCores.Brains), nameof(Brains), CudaArchitecture.SM_80);
        return builder;

        void Register(Type type, string method, string handler, CudaArchitecture least)
        {
            MethodInfo target = type.GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic)!;
            MethodInfo generator = typeof(PtxIntrinsics).GetMethod(handler, BindingFlags.Static | BindingFlags.NonPublic)!;
            manager.RegisterMethod(target, new PTXIntrinsic(generator, IntrinsicImplementationMode.GenerateCode, least));
            if (typeof(PlainOperations).GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic) is { } plain)
            {
                manager.RegisterMethod(target, new PTXIntrinsic(plain, IntrinsicImplementationMode.Redirect, null, least));
                manager.RegisterMethod(target, new CLIntrinsic(plain, IntrinsicImplementationMode.Redirect));
            }
        }
    }

    private static void Multiply(PTXBackend backend, PTXCodeGenerator generator, Value value) => Plain("mul.rn.f32", generator, value);

    private static void Add(PTXBackend backend, PTXCodeGenerator generator, Value value) => Plain("add.rn.f32", generator, value);

    private static void Fma(PTXBackend backend, PTXCodeGenerator generator, Value value) => Plain("fma.rn.f32", generator, value);

    private static void SignedDot(PTXBackend backend, PTXCodeGenerator generator, Value value) => Plain("dp4a.s32.s32", generator, value);

    private static void MixedDot(PTXBackend backend, PTXCodeGenerator generator, Value value) => Plain("dp4a.s32.u32", generator, value);

    private static void HalfToSingle(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        var call = (MethodCall)value;
        RegisterAllocator<PTXRegisterKind>.PrimitiveRegister bits = generator.EnsureHardwareRegister(generator.LoadPrimitive(call[0]));
        RegisterAllocator<PTXRegisterKind>.HardwareRegister target = generator.AllocateHardware(value);

        // PTX converts from 16-bit registers.
        generator.Builder.Append("\t{ .reg .b16 %half; cvt.u16.u32 %half, %").Append(PTXRegisterAllocator.GetStringRepresentation((RegisterAllocator<PTXRegisterKind>.HardwareRegister)bits));
        generator.Builder.Append("; cvt.f32.f16 %").Append(PTXRegisterAllocator.GetStringRepresentation(target)).AppendLine(", %half; }");
    }

    private static void Low(PTXBackend backend, PTXCodeGenerator generator, Value value) => HalfOf(generator, value, 0);

    private static void High(PTXBackend backend, PTXCodeGenerator generator, Value value) => HalfOf(generator, value, 1);

    // mov.b32 {low, high}, pair;  cvt.f32.f16 result, low or high
    private static void HalfOf(PTXCodeGenerator generator, Value value, int half)
    {
        var call = (MethodCall)value;
        RegisterAllocator<PTXRegisterKind>.PrimitiveRegister[] halves = [Short(), Short()];
        RegisterAllocator<PTXRegisterKind>.PrimitiveRegister pair = generator.EnsureHardwareRegister(generator.LoadPrimitive(call[0]));
        using (PTXCodeGenerator.CommandEmitter move = generator.BeginCommand("mov.b32"))
        {
            move.AppendVectorArgument(halves);
            move.AppendArgument(pair);
        }

        RegisterAllocator<PTXRegisterKind>.HardwareRegister target = generator.AllocateHardware(value);
        using PTXCodeGenerator.CommandEmitter convert = generator.BeginCommand("cvt.f32.f16");
        convert.AppendArgument(target);
        convert.AppendArgument(halves[half]);

        RegisterAllocator<PTXRegisterKind>.HardwareRegister Short() => generator.AllocateRegister(BasicValueType.Int16, PTXRegisterKind.Int16);
    }

    private static void Bytes(PTXBackend backend, PTXCodeGenerator generator, Value value) =>
        Matrices("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", generator, value, 4, 2);

    private static void MixedBytes(PTXBackend backend, PTXCodeGenerator generator, Value value) =>
        Matrices("mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32", generator, value, 4, 2);

    private static void HalfBytes(PTXBackend backend, PTXCodeGenerator generator, Value value) =>
        Matrices("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32", generator, value, 2, 1);

    private static void Halves(PTXBackend backend, PTXCodeGenerator generator, Value value) =>
        Matrices("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", generator, value, 4, 2);

    private static void Brains(PTXBackend backend, PTXCodeGenerator generator, Value value) =>
        Matrices("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", generator, value, 4, 2);

    private static void Plain(string instruction, PTXCodeGenerator generator, Value value)
    {
        var call = (MethodCall)value;
        RegisterAllocator<PTXRegisterKind>.HardwareRegister target = generator.AllocateHardware(value);
        using PTXCodeGenerator.CommandEmitter command = generator.BeginCommand(instruction);
        command.AppendArgument(target);
        for (int i = 0; i < call.Count; i++) command.AppendArgument(generator.LoadPrimitive(call[i]));
    }

    // The arguments are the lane's parts of the first matrix, of the second, and of the sums.
    private static void Matrices(string instruction, PTXCodeGenerator generator, Value value, int first, int second)
    {
        var call = (MethodCall)value;
        var arguments = new RegisterAllocator<PTXRegisterKind>.PrimitiveRegister[first + second + 4];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = generator.EnsureHardwareRegister(generator.LoadPrimitive(call[i]));

        var target = (RegisterAllocator<PTXRegisterKind>.CompoundRegister)generator.Allocate(value);
        using PTXCodeGenerator.CommandEmitter command = generator.BeginCommand(instruction);
        command.AppendVectorArgument([.. target.Children.Cast<RegisterAllocator<PTXRegisterKind>.PrimitiveRegister>()]);
        command.AppendVectorArgument(arguments[..first]);
        command.AppendVectorArgument(arguments[first..(first + second)]);
        command.AppendVectorArgument(arguments[(first + second)..]);
    }
}
