using KwaaiNet.Protocol.Trust;

namespace KwaaiNet.ApiNode.Waiting;

/// <summary>Requests of one line wait for the same nodes.</summary>
/// <param name="Model">The model's id.</param>
/// <param name="MinimumTier">The least tier of every node.</param>
internal readonly record struct RoomLineKey(string Model, TrustTier MinimumTier);
