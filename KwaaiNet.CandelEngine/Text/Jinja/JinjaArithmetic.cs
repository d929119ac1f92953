namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The operators of arithmetic and text, as Python has them.</summary>
internal static class JinjaArithmetic
{
    public static object Compute(JinjaContext context, string symbol, object? left, object? right) => (symbol, left, right) switch
    {
        ("~", _, _) => Concatenate(context, JinjaValues.ToText(context, left), JinjaValues.ToText(context, right)),
        ("+", JinjaText { IsSafe: true } a, JinjaText b) => Concatenate(context, a, JinjaTextFilters.Escape(context, b)).AsSafe(),
        ("+", JinjaText a, JinjaText { IsSafe: true } b) => Concatenate(context, JinjaTextFilters.Escape(context, a), b).AsSafe(),
        ("+", JinjaText a, JinjaText b) => Concatenate(context, a, b),
        ("+", JinjaList { Kind: JinjaListKind.List or JinjaListKind.Tuple } a, JinjaList b) when a.Kind == b.Kind => Concatenate(context, a, b),
        ("*", JinjaText a, bool or long) => Repeat(context, a, JinjaValues.ToInteger(right)),
        ("*", bool or long, JinjaText b) => Repeat(context, b, JinjaValues.ToInteger(left)),
        ("*", JinjaList { Kind: JinjaListKind.List or JinjaListKind.Tuple } a, bool or long) => Repeat(context, a, JinjaValues.ToInteger(right)),
        ("*", bool or long, JinjaList { Kind: JinjaListKind.List or JinjaListKind.Tuple } b) => Repeat(context, b, JinjaValues.ToInteger(left)),
        ("%", JinjaText a, _) => JinjaFormat.Percent(context, a, right),
        (_, bool or long, bool or long) => OfIntegers(symbol, JinjaValues.ToInteger(left), JinjaValues.ToInteger(right)),
        (_, bool or long or double, bool or long or double) => OfNumbers(symbol, JinjaValues.ToDouble(left), JinjaValues.ToDouble(right)),
        _ => throw new ChatTemplateException($"The chat template computes {JinjaValues.TypeName(left)} {symbol} {JinjaValues.TypeName(right)}."),
    };

    public static JinjaText Concatenate(JinjaContext context, JinjaText left, JinjaText right)
    {
        context.Budget.Charge((long)left.Length + right.Length);
        return left.Length == 0 && !right.IsSafe ? right : right.Length == 0 && !left.IsSafe ? left : new JinjaTextBuilder().Append(left).Append(right).ToText();
    }

    private static JinjaList Concatenate(JinjaContext context, JinjaList left, JinjaList right)
    {
        context.Budget.ChargeItems((long)left.Items.Count + right.Items.Count);
        return new JinjaList([.. left.Items, .. right.Items], left.Kind);
    }

    private static JinjaList Repeat(JinjaContext context, JinjaList list, long count)
    {
        if (count <= 0 || list.Items.Count == 0)
            return new JinjaList([], list.Kind);
        context.Budget.ChargeItems(count > JinjaBudget.MaximumWork ? long.MaxValue : count * list.Items.Count);
        List<object?> items = [];
        for (long i = 0; i < count; i++)
            items.AddRange(list.Items);
        return new JinjaList(items, list.Kind);
    }

    private static JinjaText Repeat(JinjaContext context, JinjaText text, long count)
    {
        if (count <= 0 || text.Length == 0)
            return JinjaText.Empty;
        context.Budget.Charge(count > JinjaBudget.MaximumWork ? long.MaxValue : count * text.Length);
        JinjaTextBuilder builder = new();
        for (long i = 0; i < count; i++)
            builder.Append(text);
        return builder.ToText();
    }

    private static object OfIntegers(string symbol, long left, long right)
    {
        try
        {
            return symbol switch
            {
                "+" => checked(left + right),
                "-" => checked(left - right),
                "*" => checked(left * right),
                "/" when right != 0 => (double)left / right,
                "//" when right != 0 => checked((left / right) - (left % right != 0 && (left < 0) != (right < 0) ? 1 : 0)),
                "%" when right == -1 => 0L,
                "%" when right != 0 => left % right is var rest && rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest,
                "**" => Power(left, right),
                _ => throw new ChatTemplateException("The chat template divides by zero."),
            };
        }
        catch (OverflowException)
        {
            throw new ChatTemplateException("The chat template computes an integer beyond 64 bits.");
        }
    }

    private static object Power(long number, long exponent)
    {
        if (exponent < 0)
            return number != 0 ? Math.Pow(number, exponent) : throw new ChatTemplateException("The chat template divides by zero.");
        // Whatever is neither 0, 1 nor -1 leaves 64 bits within 63 rounds.
        if (number is (0 or 1 or -1) && exponent > 2)
            exponent = 2 - (exponent % 2);
        long result = 1;
        for (; exponent > 0; exponent--)
            result = checked(result * number);
        return result;
    }

    // C's fmod, moved to the sign of the divisor.
    private static double Modulo(double left, double right)
    {
        double rest = left % right;
        return rest == 0 ? Math.CopySign(0, right) : (rest < 0) != (right < 0) ? rest + right : rest;
    }

    private static double Power(double number, double exponent)
    {
        double result = Math.Pow(number, exponent);
        return double.IsNaN(result) || (double.IsInfinity(result) && double.IsFinite(number))
            ? throw new ChatTemplateException("The chat template computes a power that is no number.")
            : result;
    }

    private static object OfNumbers(string symbol, double left, double right) => symbol switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" when right != 0 => left / right,
        "//" when right != 0 => Math.Floor(left / right),
        "%" when right != 0 => Modulo(left, right),
        "**" when left != 0 || right >= 0 => Power(left, right),
        _ => throw new ChatTemplateException("The chat template divides by zero."),
    };
}
