using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>One prompt on its way to the first shard, a few frames at a time: a line that a long prompt filled would stand in the way of everybody else's.</summary>
/// <remarks>The shard says when a step has left its line. One that has never said so, being of an earlier version, is sent all at once. Safe for concurrent use.</remarks>
/// <param name="link">The way to the shard.</param>
/// <param name="frames">The prompt's frames, in order.</param>
internal sealed class PromptFeed(ShardLink link, IEnumerable<StepFrame> frames)
{
    /// <summary>Frames that may wait at the shard: enough that it never waits for the next one.</summary>
    public const int Window = 4;

    private readonly Lock _gate = new();
    private readonly Queue<StepFrame> _frames = new(frames);
    private int _ahead;

    /// <summary>Frames not sent yet.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _frames.Count;
        }
    }

    /// <summary>Sends the first frames.</summary>
    public void Start()
    {
        lock (_gate) Send();
    }

    /// <summary>A frame has left the shard's line: the next one goes.</summary>
    public void OnLeft()
    {
        lock (_gate)
        {
            if (_ahead > 0) _ahead--;
            Send();
        }
    }

    /// <summary>Sends nothing any more.</summary>
    public void Stop()
    {
        lock (_gate) _frames.Clear();
    }

    // Under the lock, for frames have an order; the link only puts them in line.
    private void Send()
    {
        while ((_ahead < Window || !link.Acknowledges) && _frames.TryDequeue(out StepFrame? frame))
        {
            frame.Acknowledge = true;
            _ahead++;
            link.Send(frame);
        }
    }
}
