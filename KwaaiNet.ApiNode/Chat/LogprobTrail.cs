using System.Text;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.OpenAIJson;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.ApiNode.Chat;

/// <summary>Holds tokens' log probabilities back until the text they began is let through.</summary>
/// <remarks>
/// Text waits when a character is not whole yet or may become a stop string, and its tokens wait with it. A token that begins at or
/// behind a stop string is no part of the answer, nor is the end token; nothing is said of them.
/// </remarks>
/// <param name="tokenizer">The model's vocabulary.</param>
internal sealed class LogprobTrail(ITokenizer tokenizer)
{
    private readonly Queue<(int Start, LogprobContent Content)> _waiting = new();
    private int _decoded;
    private int _passed;

    /// <summary>Takes a token.</summary>
    /// <param name="token">The token.</param>
    /// <param name="characters">Characters of text that it completed.</param>
    public void Add(SampledToken token, int characters)
    {
        if (token.Logprobs is { } logprobs)
        {
            (string text, int[]? bytes) = Describe(token.Id);
            _waiting.Enqueue((_decoded, new LogprobContent(text, logprobs.Drawn, bytes, [.. logprobs.Top.Select(Alternative)])));
        }

        _decoded += characters;
    }

    /// <summary>The tokens whose text has begun to pass, now that <paramref name="characters"/> more have passed; null when there are none.</summary>
    /// <param name="characters">Characters let through.</param>
    /// <param name="isEnd">Whether this is all of the answer, and not because of a stop string: then every token is part of it.</param>
    public IReadOnlyList<LogprobContent>? Take(int characters, bool isEnd)
    {
        _passed += characters;
        List<LogprobContent>? taken = null;
        while (_waiting.TryPeek(out (int Start, LogprobContent Content) first) && (isEnd || first.Start < _passed))
        {
            (taken ??= []).Add(first.Content);
            _ = _waiting.Dequeue();
        }

        return taken;
    }

    private LogprobAlternative Alternative(TokenLogprob token)
    {
        (string text, int[]? bytes) = Describe(token.Token);
        return new LogprobAlternative(text, token.Logprob, bytes);
    }

    // A control token is shown by its own name. Half a character is U+FFFD; its bytes say what it is.
    private (string Text, int[]? Bytes) Describe(int id)
    {
        ReadOnlySpan<byte> bytes = tokenizer.GetBytes(id, renderSpecial: true);
        if (bytes.IsEmpty)
        {
            return ("", null);
        }

        int[] numbers = new int[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            numbers[i] = bytes[i];
        }

        return (Encoding.UTF8.GetString(bytes), numbers);
    }
}
