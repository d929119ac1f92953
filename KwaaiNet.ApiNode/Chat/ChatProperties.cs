namespace KwaaiNet.ApiNode.Chat;

/// <summary>Names in <c>AdditionalProperties</c> of chat options and answers.</summary>
internal static class ChatProperties
{
    /// <summary>Options: the least <see cref="Protocol.Trust.TrustTier"/> of every node of the chain.</summary>
    public const string TrustTier = "kwaainet_trust_tier";

    /// <summary>Answers: a name of the weights that gave them.</summary>
    public const string Fingerprint = "system_fingerprint";
}
