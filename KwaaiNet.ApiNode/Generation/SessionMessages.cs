using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>Writes what a session says to its shards.</summary>
internal static class SessionMessages
{
    /// <summary>The opening for one hop. Steps come from the hop before; the first shard's from the API node and, around the ring, from the last.</summary>
    public static OpenSession Open(ByteString sessionId, SessionSettings settings, ShardChain chain, int hop)
    {
        ChainHop here = chain.Hops[hop];
        bool last = hop == chain.Hops.Length - 1;
        OpenSession open = new()
        {
            ProtocolVersion = ProtocolVersions.Base,
            SessionId = sessionId,
            Model = settings.Model.Id,
            WeightsHash = settings.Model.WeightsHash,
            FirstBlock = (uint)here.Blocks.First,
            EndBlock = (uint)here.Blocks.End,
            MaxPositions = (uint)(settings.Tokens.Count + settings.MaxNewTokens),
            HiddenFormat = settings.HiddenFormat == CandelEngine.Compute.HiddenFormat.F32 ? HiddenEncoding.F32 : HiddenEncoding.F16,
            FirstPositions = (uint)settings.Tokens.Count,
            RequestedUnixMs = (ulong)Math.Max(0, settings.Requested.ToUnixTimeMilliseconds()),
            Traceparent = settings.TraceParent,
            PrefixHashes = settings.PrefixHashes,
            PrefixLineage = settings.PrefixHashes.IsEmpty ? ByteString.Empty : Lineage(chain, hop),
        };
        open.StepSources.Add(hop == 0 ? settings.Owner : chain.Hops[hop - 1].NodeId);
        if (hop == 0 && !last)
        {
            open.StepSources.Add(chain.Hops[^1].NodeId);
        }

        if (!last)
        {
            ChainHop next = chain.Hops[hop + 1];
            open.Next = new Hop { NodeId = next.NodeId, Endpoint = next.Endpoint };
            return open;
        }

        if (hop > 0)
        {
            open.Ring = new Hop { NodeId = chain.Hops[0].NodeId, Endpoint = chain.Hops[0].Endpoint };
        }

        open.Sampling = SamplingMessages.Write(settings.Sampling, settings.Tokens, settings.Generated);
        open.ProtocolVersion = SamplingMessages.VersionOf(settings.Sampling);
        open.MaxNewTokens = (uint)settings.MaxNewTokens;
        open.EndTokens.Add(settings.Model.Tokenizer.EndOfGenerationIds.Order().Select(id => (uint)id));
        return open;
    }

    /// <summary>The prompt from a position on, cut into frames; the last one asks for a token.</summary>
    public static IEnumerable<StepFrame> Prefill(ByteString sessionId, IReadOnlyList<int> tokens, int from, int chunk)
    {
        ulong step = 0;
        for (int start = from; start < tokens.Count; start += chunk)
        {
            int rows = Math.Min(chunk, tokens.Count - start);
            byte[] bytes = new byte[rows * sizeof(int)];
            for (int row = 0; row < rows; row++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(row * sizeof(int)), tokens[start + row]);
            }

            yield return new StepFrame
            {
                SessionId = sessionId,
                Step = step++,
                KvLength = (uint)start,
                Rows = (uint)rows,
                FirstBlock = 0,
                Tokens = UnsafeByteOperations.UnsafeWrap(bytes),
                Sample = start + rows == tokens.Count,
            };
        }
    }

    // Keys and values follow from all that came before: what one process before this shard computed is not what another would have, for
    // it may have another device, or lie.
    private static ByteString Lineage(ShardChain chain, int hop)
    {
        if (hop == 0)
        {
            return ByteString.Empty;
        }

        string before = string.Join('\n', chain.Hops.Take(hop).Select(one => string.Create(
            CultureInfo.InvariantCulture, $"{one.NodeId} {one.Blocks.First} {one.Blocks.End} {one.StartedUnixMs}")));
        return ByteString.CopyFrom(SHA256.HashData(Encoding.UTF8.GetBytes(before)).AsSpan(0, PageHash.Length));
    }
}
