using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace KwaaiNet.ModelLab.Measurement;

/// <summary>llama.cpp, through the little program <c>peer/peer.cpp</c> (whose header says how to build it).</summary>
/// <param name="program">The built program.</param>
internal sealed class Peer(string program)
{
    /// <summary>All logits of one batch, everything in float32, <c>[ids][vocabulary]</c>.</summary>
    public float[][] Logits(string model, int[] ids)
    {
        string output = Path.GetTempFileName();
        try
        {
            Run("logits", model, Join(ids), output);
            float[] all = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(output)).ToArray();
            return [.. all.Chunk(all.Length / ids.Length)];
        }
        finally
        {
            File.Delete(output);
        }
    }

    /// <summary>The greedy continuation, and by how much each token led the next best.</summary>
    public (int[] Ids, float[] Leads) Greedy(string model, int[] ids, int count)
    {
        using JsonDocument line = JsonDocument.Parse(Run("greedy", model, Join(ids), count.ToString(CultureInfo.InvariantCulture)));
        return ([.. line.RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())],
            [.. line.RootElement.GetProperty("leads").EnumerateArray().Select(lead => lead.GetSingle())]);
    }

    /// <summary>A model's matrices all in one type, by llama.cpp's own quantisation; false where it has none without an importance matrix.</summary>
    public bool TryQuantize(string model, string output, string type)
    {
        try
        {
            Run("quantize", model, output, type);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static string Join(int[] ids) => string.Join(',', ids.Select(id => id.ToString(CultureInfo.InvariantCulture)));

    private string Run(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? text
            : throw new InvalidOperationException($"{program} {arguments[0]} ended with {process.ExitCode}: {errors.Result.Trim('.', '\n')}");
    }
}
