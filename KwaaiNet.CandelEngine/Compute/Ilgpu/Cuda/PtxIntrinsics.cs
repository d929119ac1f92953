using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

/// <summary>Methods that are one PTX instruction on CUDA, and what their C# says elsewhere.</summary>
/// <remarks>
/// <c>CudaAsm.Emit</c> would do for the instruction, but it hands its result over through a variable in local memory, and needs a branch
/// around it for other devices. What is registered here stays in registers. OpenCL's compiler is shown a method without the attribute;
/// the CPU accelerator calls the method itself.
/// </remarks>
internal static class PtxIntrinsics
{
    private static readonly (Delegate Method, Delegate Plain, PTXIntrinsic.Handler Handler)[] s_methods =
    [
        ((Func<float, float, float>)Rounded.Multiply, (Func<float, float, float>)PlainOperations.Multiply, Multiply),
        ((Func<float, float, float>)Rounded.Add, (Func<float, float, float>)PlainOperations.Add, Add),
        ((Func<float, float, float, float>)Rounded.Fma, (Func<float, float, float, float>)PlainOperations.Fma, Fma),
        ((Func<int, float>)HalfPair.Low, (Func<int, float>)PlainOperations.Low, Low),
        ((Func<int, float>)HalfPair.High, (Func<int, float>)PlainOperations.High, High),
    ];

    /// <summary>Makes a context compile the methods to their instructions. Every context that compiles kernels with them needs it.</summary>
    internal static Context.Builder UsePtxIntrinsics(this Context.Builder builder)
    {
        IntrinsicImplementationManager manager = builder.GetIntrinsicManager();
        foreach ((Delegate method, Delegate plain, PTXIntrinsic.Handler handler) in s_methods)
        {
            manager.RegisterMethod(method.Method, new PTXIntrinsic(handler.Method, IntrinsicImplementationMode.GenerateCode));
            manager.RegisterMethod(method.Method, new CLIntrinsic(plain.Method, IntrinsicImplementationMode.Redirect));
        }

        return builder;
    }

    private static void Multiply(PTXBackend backend, PTXCodeGenerator generator, Value call) => Emit(generator, call, "mul.rn.f32");

    private static void Add(PTXBackend backend, PTXCodeGenerator generator, Value call) => Emit(generator, call, "add.rn.f32");

    private static void Fma(PTXBackend backend, PTXCodeGenerator generator, Value call) => Emit(generator, call, "fma.rn.f32");

    private static void Low(PTXBackend backend, PTXCodeGenerator generator, Value call) => EmitHalf(generator, call, 0);

    private static void High(PTXBackend backend, PTXCodeGenerator generator, Value call) => EmitHalf(generator, call, 1);

    // instruction result, arguments …
    private static void Emit(PTXCodeGenerator generator, Value call, string instruction)
    {
        var arguments = new RegisterAllocator<PTXRegisterKind>.PrimitiveRegister[call.Nodes.Length];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = generator.LoadPrimitive(call[i]);
        var result = generator.AllocateHardware(call);
        using PTXCodeGenerator.CommandEmitter command = generator.BeginCommand(instruction);
        command.AppendArgument(result);
        foreach (var argument in arguments) command.AppendArgument(argument);
    }

    // mov.b32 {low, high}, pair;  cvt.f32.f16 result, low or high
    private static void EmitHalf(PTXCodeGenerator generator, Value call, int half)
    {
        RegisterAllocator<PTXRegisterKind>.PrimitiveRegister pair = generator.LoadPrimitive(call[0]);
        RegisterAllocator<PTXRegisterKind>.PrimitiveRegister[] halves = [Word(generator), Word(generator)];
        using (PTXCodeGenerator.CommandEmitter move = generator.BeginCommand("mov.b32"))
        {
            move.AppendVectorArgument(halves);
            move.AppendArgument(pair);
        }

        var result = generator.AllocateHardware(call);
        using PTXCodeGenerator.CommandEmitter convert = generator.BeginCommand("cvt.f32.f16");
        convert.AppendArgument(result);
        convert.AppendArgument(halves[half]);
    }

    private static RegisterAllocator<PTXRegisterKind>.HardwareRegister Word(PTXCodeGenerator generator) =>
        generator.AllocateRegister(BasicValueType.Int16, PTXRegisterKind.Int16);
}
