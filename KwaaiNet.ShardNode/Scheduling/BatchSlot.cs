using KwaaiNet.ShardNode.Sessions;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>One session's place in a batch, with buffers that the next batch's session at this place uses again.</summary>
internal sealed class BatchSlot
{
    private int[] _tokens = [];
    private float[] _input = [];
    private float[] _output = [];
    private float[] _logits = [];

    /// <summary>Whose rows run.</summary>
    public ShardSession Session { get; set; } = null!;

    /// <summary>How many rows run in this turn.</summary>
    public int Rows { get; set; }

    /// <summary>Whether the step is done after this turn.</summary>
    public bool IsLastTurn { get; set; }

    /// <summary>Token ids, <c>[rows]</c>.</summary>
    public Memory<int> Tokens(int rows) => Room(ref _tokens, rows);

    /// <summary>Hidden states coming in, <c>[rows, width]</c>.</summary>
    public Memory<float> Input(int numbers) => Room(ref _input, numbers);

    /// <summary>Hidden states going out, <c>[rows, width]</c>.</summary>
    public Memory<float> Output(int numbers) => Room(ref _output, numbers);

    /// <summary>Logits, <c>[vocabulary]</c>.</summary>
    public Memory<float> Logits(int vocabulary) => Room(ref _logits, vocabulary);

    private static Memory<T> Room<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length) buffer = GC.AllocateUninitializedArray<T>(length);
        return buffer.AsMemory(0, length);
    }
}
