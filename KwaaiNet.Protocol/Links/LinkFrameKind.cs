namespace KwaaiNet.Protocol.Links;

/// <summary>What a frame of <see cref="LinkFormat"/> is.</summary>
internal enum LinkFrameKind : byte
{
    /// <summary>The method called.</summary>
    Call = 1,

    /// <summary>A message.</summary>
    Data = 2,

    /// <summary>The client sends nothing more.</summary>
    End = 3,

    /// <summary>How the call ended.</summary>
    Status = 4,

    /// <summary>A sign of life.</summary>
    Beat = 5,

    /// <summary>A message in the form of its own that <see cref="ILinkCodec{T}"/> gives it.</summary>
    Raw = 6,
}
