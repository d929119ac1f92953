using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>A matrix of weights where the file maps it: <c>[Outputs, Columns]</c>, row after row.</summary>
internal readonly unsafe struct WeightMatrix
{
    internal WeightMatrix(TensorData tensor)
    {
        Type = tensor.Type;
        Outputs = tensor.Rows;
        Columns = tensor.Columns;
        Data = (byte*)tensor.Address;
        RowBytes = WeightLayout.RowBytes(tensor.Type, tensor.Columns);
    }

    internal GgmlType Type { get; }

    internal int Outputs { get; }

    internal int Columns { get; }

    internal byte* Data { get; }

    internal long RowBytes { get; }

    internal byte* Row(int output) => Data + (output * RowBytes);
}
