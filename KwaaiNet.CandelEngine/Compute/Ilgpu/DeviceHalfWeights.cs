using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Weights stored as binary16.</summary>
internal readonly struct DeviceHalfWeights(ArrayView<ushort> data) : IDeviceWeights
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
            a += DeviceMath.HalfToSingle(weights[i]) * x[i];
            b += DeviceMath.HalfToSingle(weights[i + 1]) * x[i + 1];
            c += DeviceMath.HalfToSingle(weights[i + 2]) * x[i + 2];
            d += DeviceMath.HalfToSingle(weights[i + 3]) * x[i + 3];
        }

        for (; i < columns; i++) a += DeviceMath.HalfToSingle(weights[i]) * x[i];
        return (a + c) + (b + d);
    }

    public float Element(int row, int column, int columns) => DeviceMath.HalfToSingle(_data[((long)row * columns) + column]);
}
