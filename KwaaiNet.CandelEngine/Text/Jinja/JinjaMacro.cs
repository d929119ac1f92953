namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>What <c>{% macro %}</c> and <c>{% call %}</c> define: parameters, their defaults, a body, and which of the special names the body uses.</summary>
/// <param name="name">The macro's name; <c>caller</c> for the body of a call block.</param>
/// <param name="parameters">Names with defaults; those without come first.</param>
/// <param name="body">What it writes.</param>
/// <param name="uses">All names that the body mentions.</param>
internal sealed class JinjaMacro(string name, IReadOnlyList<(string Name, JinjaExpression? Default)> parameters, JinjaStatement body, IReadOnlySet<string> uses)
{
    public string Name { get; } = name;

    /// <summary>The macro as a value, bound to where it is defined.</summary>
    public JinjaFunction Bind(JinjaContext context)
    {
        List<Dictionary<string, object?>> scopes = context.CaptureScopes();
        return new JinjaFunction(Name, (c, arguments) => Call(c, scopes, arguments))
        {
            Attributes = new Dictionary<string, object?>
            {
                ["name"] = JinjaText.Trusted(Name),
                ["arguments"] = new JinjaList([.. parameters.Select(parameter => JinjaText.Trusted(parameter.Name))], JinjaListKind.Tuple),
                ["catch_kwargs"] = uses.Contains("kwargs"),
                ["catch_varargs"] = uses.Contains("varargs"),
                ["caller"] = uses.Contains("caller"),
            },
        };
    }

    private JinjaText Call(JinjaContext context, List<Dictionary<string, object?>> scopes, JinjaArguments arguments)
    {
        context.Budget.Enter();
        List<Dictionary<string, object?>> before = context.EnterScopes(scopes);
        BindParameters(context, arguments);
        context.BeginCapture();
        body.Run(context);
        context.LeaveScopes(before);
        context.Budget.Leave();
        return context.EndCapture();
    }

    private void BindParameters(JinjaContext context, JinjaArguments arguments)
    {
        HashSet<string> left = [.. arguments.Named.Keys];
        for (int i = 0; i < parameters.Count; i++)
        {
            (string parameter, JinjaExpression? otherwise) = parameters[i];
            bool byName = left.Remove(parameter);
            if (byName && i < arguments.Positional.Count)
                throw Error($"gives '{parameter}' twice");
            context.Set(parameter, byName ? arguments.Named[parameter]
                : i < arguments.Positional.Count ? arguments.Positional[i]
                : otherwise is null ? new JinjaUndefined(parameter) : otherwise.Evaluate(context));
        }

        if (uses.Contains("caller"))
            context.Set("caller", left.Remove("caller") ? arguments.Named["caller"] : new JinjaUndefined("caller"));
        if (uses.Contains("varargs"))
            context.Set("varargs", new JinjaList([.. arguments.Positional.Skip(parameters.Count)], JinjaListKind.Tuple));
        else if (arguments.Positional.Count > parameters.Count)
            throw Error($"gives {arguments.Positional.Count} arguments and it takes {parameters.Count}");
        if (uses.Contains("kwargs"))
        {
            JinjaMap rest = new();
            foreach ((string key, object? value) in arguments.Named.Where(argument => left.Contains(argument.Key)))
                rest.Set(JinjaText.Trusted(key), value);
            context.Set("kwargs", rest);
        }
        else if (left.Count > 0)
        {
            throw Error($"gives '{left.First()}', which it does not take");
        }
    }

    private ChatTemplateException Error(string problem) => new($"The chat template calls '{Name}' and {problem}.");
}
