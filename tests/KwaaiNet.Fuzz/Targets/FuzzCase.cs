using System.Text;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.Fuzz.Targets;

/// <summary>One run of one input: what came of it, and whether it kept to the rules.</summary>
/// <remarks>
/// The rules: an exception is <see cref="ModelFormatException"/> or <see cref="ChatTemplateException"/>, its message says something; a stage
/// allocates at most a multiple of the input and a constant. <see cref="Fingerprint"/> must be the same in a second run.
/// </remarks>
/// <param name="input">The bytes.</param>
internal sealed class FuzzCase(byte[] input)
{
    private const ulong FnvOffset = 14695981039346656037;
    private const ulong FnvPrime = 1099511628211;

    /// <summary>The bytes to read.</summary>
    public byte[] Input { get; } = input;

    /// <summary>A hash over all results and errors.</summary>
    public ulong Fingerprint { get; private set; } = FnvOffset;

    /// <summary>Which stages passed, and the last error without its particulars: inputs that differ here took different ways.</summary>
    public string Way { get; private set; } = "";

    /// <summary>A broken rule, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether <see cref="Problem"/> is about allocation, which a first run pays for more than once.</summary>
    public bool IsAllocationProblem { get; private set; }

    /// <summary>Does one part of the work.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="perByte">Bytes it may allocate for each byte of the input.</param>
    /// <param name="constant">Bytes it may allocate besides.</param>
    /// <param name="work">The work.</param>
    /// <returns>Whether it came through without an error.</returns>
    public bool Stage(string name, long perByte, long constant, Action work)
    {
        if (Problem is not null)
            return false;
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool done = false;
        try
        {
            work();
            done = true;
            Way += name + ";";
        }
        catch (Exception e) when (e is ModelFormatException or ChatTemplateException)
        {
            Note(e.Message);
            Way += $"{name}:{Shape(e.Message)}";
            // A template may raise an error in its own words, and of any length.
            if (e is ModelFormatException && e.Message.Length < 10)
                Problem = $"{name}: the error says nothing: '{e.Message}'";
        }
#pragma warning disable CA1031 // Any other exception, of whatever type, is what is being looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Problem = $"{name}: {e}";
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        long allowed = (perByte * Input.Length) + constant;
        if (Problem is null && allocated > allowed)
        {
            Problem = $"{name}: allocated {allocated:N0} bytes for an input of {Input.Length:N0}; {allowed:N0} are allowed ({perByte} x input + {constant:N0})";
            IsAllocationProblem = true;
        }

        return done;
    }

    /// <summary>Says that something is not as promised.</summary>
    public void Require(bool holds, string promise)
    {
        if (!holds)
            throw new InvalidDataException($"broken promise: {promise}");
    }

    /// <summary>Adds a result to the fingerprint.</summary>
    public void Note(ulong value) => Fingerprint = (Fingerprint ^ value) * FnvPrime;

    /// <summary>Adds a result to the fingerprint.</summary>
    public void Note(ReadOnlySpan<char> text)
    {
        Note((ulong)text.Length);
        foreach (char c in text)
            Note(c);
    }

    /// <summary>The error without numbers and quotations.</summary>
    private static string Shape(string message)
    {
        StringBuilder shape = new();
        bool quoted = false;
        foreach (char c in message)
        {
            if (c == '\'')
                quoted = !quoted;
            else if (!quoted && char.IsAsciiLetter(c) && shape.Length < 80)
                shape.Append(c);
        }

        return shape.ToString();
    }
}
