using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>One session's ear on one link. Called from the link's reading loop: must not block.</summary>
internal interface ILinkSession
{
    /// <summary>The shard holds its part now.</summary>
    /// <param name="cachedPositions">Positions that it says to hold already.</param>
    void OnOpened(uint cachedPositions);

    /// <summary>The shard sampled a token; the message is read into again after this.</summary>
    void OnToken(TokenSampled token);

    /// <summary>A step of the prompt waits at the shard no more.</summary>
    void OnStepLeft();

    /// <summary>The shard, or its link, failed the session.</summary>
    void OnFailed(ShardFailureException failure);
}
