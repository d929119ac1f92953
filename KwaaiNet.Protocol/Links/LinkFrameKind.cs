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
}
