namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>A token that is matched as a whole string before the text is split: an entry of <c>added_tokens</c>.</summary>
/// <param name="Id">Its id; may be one of the model's own vocabulary.</param>
/// <param name="Content">Its text.</param>
/// <param name="SingleWord">Only matched where no letter, digit or underscore stands beside it.</param>
/// <param name="LeftStrip">Takes the white space before it along.</param>
/// <param name="RightStrip">Takes the white space behind it along.</param>
/// <param name="Normalized">Matched in normalized text, its own text normalized too; else in the text as it is given.</param>
/// <param name="Special">A control token: gives no text when decoding.</param>
internal sealed record AddedToken(int Id, string Content, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized, bool Special);
