namespace KwaaiNet.CandelEngine.Text;

/// <summary>One message of a conversation, as a chat template sees it.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">The text.</param>
public sealed record ChatTurn(string Role, string Content);
