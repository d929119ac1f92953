namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>A parsed template. Immutable, so it renders on many threads at once.</summary>
internal sealed class JinjaTemplate
{
    /// <summary>The longest source read; real ones have some tens of thousands of characters.</summary>
    public const int MaximumSource = 1 << 20;

    private readonly JinjaStatement _body;

    private JinjaTemplate(JinjaStatement body) => _body = body;

    /// <exception cref="ChatTemplateException">The source is not a template, or uses what this language here does not have.</exception>
    public static JinjaTemplate Parse(string source) => Guard(() => source.Length > MaximumSource
        ? throw new ChatTemplateException($"The chat template has {source.Length:N0} characters; at most {MaximumSource:N0} are read.")
        : new JinjaTemplate(JinjaParser.Parse(source)));

    /// <summary>Renders with the given names.</summary>
    /// <param name="names">Variables the template sees.</param>
    /// <param name="time">What <c>strftime_now</c> reads.</param>
    /// <exception cref="ChatTemplateException">The template raised an error, did what the language does not allow, or went beyond its budget.</exception>
    public JinjaText Render(IEnumerable<KeyValuePair<string, object?>> names, TimeProvider time) => Guard(() =>
    {
        JinjaContext context = new(names, time);
        _body.Run(context);
        return context.Output;
    });

    /// <summary>A template is somebody else's program: whatever it provokes is its error, not a fault of the node.</summary>
    private static T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (InsufficientExecutionStackException)
        {
            throw new ChatTemplateException("The chat template nests too deep for this machine's stack.");
        }
        catch (Exception e) when (e is InvalidCastException or ArithmeticException or ArgumentException or InvalidOperationException or IndexOutOfRangeException or FormatException or OutOfMemoryException)
        {
            throw new ChatTemplateException($"The chat template could not be rendered: {e.Message}");
        }
    }
}
