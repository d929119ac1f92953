using System.Globalization;
using System.Text;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Spells a character that is no token: by its bytes' tokens where all of them are there, else by the unknown token, else not at all.</summary>
internal sealed class UnknownText
{
    private readonly int[] _byteIds = new int[256];
    private readonly int? _unknown;
    private readonly bool _fuse;

    public UnknownText(TokenizerJson file)
    {
        _unknown = file.UnknownId;
        _fuse = file.FuseUnknown;
        Array.Fill(_byteIds, -1);
        for (int value = 0; file.ByteFallback && value < 256; value++)
            _byteIds[value] = file.Ids.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>"), -1);
    }

    /// <summary>Appends the ids of a character.</summary>
    /// <param name="character">The character.</param>
    /// <param name="afterUnknown">Whether the unknown token stands just before.</param>
    /// <param name="ids">Where they go.</param>
    /// <returns>Whether the unknown token stands there now.</returns>
    public bool Append(ReadOnlySpan<char> character, bool afterUnknown, List<int> ids)
    {
        Span<byte> utf8 = stackalloc byte[4];
        utf8 = utf8[..Encoding.UTF8.GetBytes(character, utf8)];
        bool spelled = true;
        foreach (byte value in utf8)
            spelled &= _byteIds[value] >= 0;
        if (spelled)
        {
            foreach (byte value in utf8)
                ids.Add(_byteIds[value]);
            return false;
        }

        if (_unknown is int unknown && !(afterUnknown && _fuse))
            ids.Add(unknown);
        return _unknown is not null;
    }
}
