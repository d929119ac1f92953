namespace KwaaiNet.ApiNode.Models;

/// <summary>The models this API node can speak.</summary>
internal interface IChatModelCatalog
{
    /// <summary>Another model is open now, or cannot be. Handlers return at once.</summary>
    event Action? Changed;

    /// <summary>Models that are open and whose file has been hashed, in configured order.</summary>
    IReadOnlyList<ChatModel> Models { get; }

    /// <summary>Configured models that cannot be used, by id, and why: their file is still being read, or is damaged.</summary>
    IReadOnlyDictionary<string, string> Closed { get; }

    /// <summary>Finds a model by its id, written as people write it (see <see cref="ModelNames"/>); null when it is unknown or still being opened.</summary>
    ChatModel? Find(string id);

    /// <summary>Whether the model is configured and its file is still being hashed.</summary>
    bool IsOpening(string id);
}
