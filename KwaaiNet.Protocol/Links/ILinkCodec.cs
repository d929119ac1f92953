namespace KwaaiNet.Protocol.Links;

/// <summary>A message's form on a link beside protobuf: for those of which one passes for every token. Of one direction of one link.</summary>
internal interface ILinkCodec<T>
    where T : class
{
    /// <summary>Sends a message; false: it holds what this form cannot say, and nothing was sent.</summary>
    bool TrySend(LinkConnection link, T message, bool flush);

    /// <summary>Reads a message of so many bytes, behind its header.</summary>
    /// <param name="link">The link.</param>
    /// <param name="length">Bytes of the payload: all of them are read.</param>
    /// <param name="isPassing">Whether the reader is done with the message before the next one is read: then that may be the same object.</param>
    /// <exception cref="InvalidDataException">It is no such message.</exception>
    /// <exception cref="IOException">The connection ended.</exception>
    T Read(LinkConnection link, int length, bool isPassing);
}
