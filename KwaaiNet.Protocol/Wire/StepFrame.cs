namespace KwaaiNet.Protocol.Wire;

/// <content>A frame that came over a link lies in buffers that the next one is read into.</content>
public sealed partial class StepFrame
{
    /// <summary>The frame's buffers; null for a frame that came over gRPC or was made by hand, which the collector takes.</summary>
    internal StepFrameBuffers? Buffers { get; init; }

    /// <summary>Gives the frame's buffers back. By whom it was given to, once; nobody looks at the frame or its bytes after this.</summary>
    public void Release() => Buffers?.Return();
}
