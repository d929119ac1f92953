namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The operators of arithmetic and text, as Python has them.</summary>
internal static class JinjaArithmetic
{
    public static object Compute(JinjaContext context, string symbol, object? left, object? right) => (symbol, left, right) switch
    {
        ("~", _, _) => Concatenate(context, JinjaValues.ToText(context, left), JinjaValues.ToText(context, right)),
        ("+", JinjaText a, JinjaText b) => Concatenate(context, a, b),
        ("+", JinjaList a, JinjaList b) => Concatenate(context, a, b),
        ("*", JinjaText a, long count) => Repeat(context, a, count),
        (_, bool or long, bool or long) => OfIntegers(symbol, JinjaValues.ToInteger(left), JinjaValues.ToInteger(right)),
        (_, bool or long or double, bool or long or double) => OfNumbers(symbol, JinjaValues.ToDouble(left), JinjaValues.ToDouble(right)),
        _ => throw new ChatTemplateException($"The chat template computes {JinjaValues.TypeName(left)} {symbol} {JinjaValues.TypeName(right)}."),
    };

    public static JinjaText Concatenate(JinjaContext context, JinjaText left, JinjaText right)
    {
        context.Budget.Charge((long)left.Length + right.Length);
        return left.Length == 0 ? right : right.Length == 0 ? left : new JinjaTextBuilder().Append(left).Append(right).ToText();
    }

    private static JinjaList Concatenate(JinjaContext context, JinjaList left, JinjaList right)
    {
        context.Budget.ChargeItems((long)left.Items.Count + right.Items.Count);
        return new JinjaList([.. left.Items, .. right.Items]);
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
                "%" when right != 0 => ((left % right) + right) % right,
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
            return Math.Pow(number, exponent);
        // Whatever is neither 0, 1 nor -1 leaves 64 bits within 63 rounds.
        if (number is (0 or 1 or -1) && exponent > 2)
            exponent = 2 - (exponent % 2);
        long result = 1;
        for (; exponent > 0; exponent--)
            result = checked(result * number);
        return result;
    }

    private static object OfNumbers(string symbol, double left, double right) => symbol switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" when right != 0 => left / right,
        "//" when right != 0 => Math.Floor(left / right),
        "%" when right != 0 => left - (Math.Floor(left / right) * right),
        "**" => Math.Pow(left, right),
        _ => throw new ChatTemplateException("The chat template divides by zero."),
    };
}
