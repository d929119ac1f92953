namespace KwaaiNet.ApiNode.Models;

/// <summary>The models this API node can speak.</summary>
internal interface IChatModelCatalog
{
    /// <summary>Models that are open and whose file has been hashed, in configured order.</summary>
    IReadOnlyList<ChatModel> Models { get; }

    /// <summary>Finds a model by its id; null when it is unknown or still being opened.</summary>
    ChatModel? Find(string id);

    /// <summary>Whether the model is configured and its file is still being hashed.</summary>
    bool IsOpening(string id);
}
