using System.Collections.Concurrent;
using System.Threading.Channels;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Forwarding;
using KwaaiNet.ShardNode.Frames;

namespace KwaaiNet.ShardNode.Tests.Fakes;

/// <summary>Hops that keep what was sent.</summary>
internal sealed class FakeHops : IHopSource
{
    public Dictionary<string, FakeHop> Hops { get; } = [];

    public IHop Acquire(Hop hop)
    {
        lock (Hops)
        {
            FakeHop fake = Hops.TryGetValue(hop.NodeId, out FakeHop? known) ? known : Hops[hop.NodeId] = new FakeHop(hop.NodeId);
            fake.Users++;
            return fake;
        }
    }

    public void Release(IHop hop) => ((FakeHop)hop).Users--;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal sealed class FakeHop(string nodeId) : IHop
    {
        private readonly Channel<StepFrame> _sent = Channel.CreateUnbounded<StepFrame>();
        private volatile bool _full;

        public string NodeId => nodeId;

        public int Users { get; set; }

        public bool HasRoom => !_full;

        public bool Acknowledges { get; set; }

        public bool Full { set => _full = value; }

        /// <summary>Of every frame sent, whether it may go past prompts.</summary>
        public ConcurrentQueue<bool> Overtook { get; } = new();

        // A copy, as the wire would make one: the kept result's buffer lives on.
        public void Send(StepResult result)
        {
            Overtook.Enqueue(result.IsDecode);
            _sent.Writer.TryWrite(StepFrame.Parser.ParseFrom(Google.Protobuf.MessageExtensions.ToByteArray(result.Frame!)));
        }

        public async Task<StepFrame> NextAsync() =>
            await _sent.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);

        public bool IsSilent => !_sent.Reader.TryPeek(out _);
    }
}
