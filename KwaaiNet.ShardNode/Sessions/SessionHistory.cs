using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Sampling;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>The tokens that a session's penalties know, each at its position. Belongs to the step loop.</summary>
/// <param name="position">The position of the first token.</param>
/// <param name="generated">How many of the tokens, from the end, belong to the answer.</param>
/// <param name="tokens">The tokens before the first draw; checked.</param>
internal sealed class SessionHistory(int position, int generated, int[] tokens)
{
    private readonly List<int> _tokens = [.. tokens];
    private int _generated = generated;

    /// <summary>The position the next token must take: a draw for any other would count tokens wrongly.</summary>
    public int Next => position + _tokens.Count;

    /// <summary>What a draw for <see cref="Next"/> is given.</summary>
    public TokenHistory View => new(CollectionsMarshal.AsSpan(_tokens), _generated);

    /// <summary>Takes a token that was drawn.</summary>
    public void Add(int token)
    {
        _tokens.Add(token);
        _generated++;
    }
}
