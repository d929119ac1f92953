using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Weights stored as float32.</summary>
internal readonly struct DeviceSingleWeights(ArrayView<float> data) : IDeviceWeights
{
    private readonly ArrayView<float> _data = data;

    public float Dot(int row, int columns, ArrayView<float> x)
    {
        ArrayView<float> weights = _data.SubView((long)row * columns, columns);
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        int i = 0;
        for (; i + 3 < columns; i += 4)
        {
            a += weights[i] * x[i];
            b += weights[i + 1] * x[i + 1];
            c += weights[i + 2] * x[i + 2];
            d += weights[i + 3] * x[i + 3];
        }

        for (; i < columns; i++) a += weights[i] * x[i];
        return (a + c) + (b + d);
    }

    public float Element(int row, int column, int columns) => _data[((long)row * columns) + column];
}
