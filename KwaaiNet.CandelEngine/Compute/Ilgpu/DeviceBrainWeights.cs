using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Weights stored as bfloat16: the upper halves of float32.</summary>
internal readonly struct DeviceBrainWeights(ArrayView<ushort> data) : IDeviceWeights
{
    private readonly ArrayView<ushort> _data = data;

    public float Dot(int row, int columns, ArrayView<float> x)
    {
        ArrayView<ushort> weights = _data.SubView((long)row * columns, columns);
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        int i = 0;
        for (; i + 3 < columns; i += 4)
        {
            a += Widen(weights[i]) * x[i];
            b += Widen(weights[i + 1]) * x[i + 1];
            c += Widen(weights[i + 2]) * x[i + 2];
            d += Widen(weights[i + 3]) * x[i + 3];
        }

        for (; i < columns; i++) a += Widen(weights[i]) * x[i];
        return (a + c) + (b + d);
    }

    public float Element(int row, int column, int columns) => Widen(_data[((long)row * columns) + column]);

    private static float Widen(int bits) => Interop.IntAsFloat((uint)bits << 16);
}
