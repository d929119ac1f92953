namespace KwaaiNet.Protocol.Trust;

/// <summary>How far a node is trusted. Ordered: a request may demand at least one of these, and a chain's tier is its weakest node's.</summary>
public enum TrustTier
{
    /// <summary>Nothing is known: the tier of every node without credentials.</summary>
    Unknown = 0,
    /// <summary>Vouched for by somebody this network recognises.</summary>
    Known = 1,
    /// <summary>Holds a verified credential.</summary>
    Verified = 2,
    /// <summary>Verified, and proven by its record of service.</summary>
    Trusted = 3,
}
