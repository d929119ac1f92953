namespace KwaaiNet.CandelEngine.Text.Jinja;

internal enum JinjaTokenKind
{
    /// <summary>Text between tags.</summary>
    Data,

    /// <summary><c>{{</c></summary>
    VariableBegin,

    /// <summary><c>}}</c></summary>
    VariableEnd,

    /// <summary><c>{%</c></summary>
    BlockBegin,

    /// <summary><c>%}</c></summary>
    BlockEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A piece of a template's source.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text; a string's without quotes and escapes.</param>
/// <param name="At">Where it starts in the source.</param>
internal readonly record struct JinjaToken(JinjaTokenKind Kind, string Text, int At);
