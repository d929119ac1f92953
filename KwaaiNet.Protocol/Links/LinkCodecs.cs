using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Protocol.Links;

/// <summary>Which messages have a form of their own on links.</summary>
internal static class LinkCodecs
{
    /// <summary>A codec for one direction of one link; null: protobuf alone.</summary>
    public static ILinkCodec<T>? Create<T>()
        where T : class => (typeof(T) == typeof(StepFrame) ? new StepFrameCodec() : typeof(T) == typeof(ControlEvent) ? new ControlEventCodec() : (object?)null) as ILinkCodec<T>;
}
