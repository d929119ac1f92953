using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>The dimensions that attention kernels need, as one argument.</summary>
internal readonly struct DeviceShape(ModelShape shape)
{
    internal readonly int Heads = shape.HeadCount;
    internal readonly int KvHeads = shape.KvHeadCount;
    internal readonly int HeadSize = shape.HeadSize;
    internal readonly int RopeSize = shape.RopeSize;
}
