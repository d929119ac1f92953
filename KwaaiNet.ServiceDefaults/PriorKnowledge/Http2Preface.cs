using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KwaaiNet.ServiceDefaults.PriorKnowledge;

/// <summary>HTTP/2 with prior knowledge (RFC 9113, 3.3) on a port without TLS that speaks HTTP/1 otherwise. Kestrel by itself speaks one of the two there.</summary>
internal static class Http2Preface
{
    // PRI * HTTP/2.0 CRLF CRLF SM CRLF CRLF: no HTTP/1 method is called PRI, so its first bytes decide.
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2"u8;

    /// <summary>Lets a port speak both.</summary>
    /// <param name="listen">The port, set to HTTP/1.</param>
    /// <param name="transport">Carries what begins with HTTP/2 to where it is spoken.</param>
    /// <param name="patience">How long a peer may take for its first bytes.</param>
    public static void AcceptHttp2(this ListenOptions listen, PriorKnowledgeTransport transport, TimeSpan patience) =>
        listen.Use(http1 => async connection =>
        {
            switch (await BeginsWithHttp2Async(connection.Transport.Input, patience, connection.ConnectionClosed).ConfigureAwait(false))
            {
                case true:
                    await transport.ServeAsync(connection).ConfigureAwait(false);
                    break;
                case false:
                    await http1(connection).ConfigureAwait(false);
                    break;
            }
        });

    /// <summary>Looks at the first bytes and leaves them where they are; null when none came.</summary>
    private static async Task<bool?> BeginsWithHttp2Async(PipeReader input, TimeSpan patience, CancellationToken closed)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(closed);
        limit.CancelAfter(patience);
        long looked = 0;
        try
        {
            while (true)
            {
                ReadResult read = await input.ReadAsync(limit.Token).ConfigureAwait(false);
                bool? begins = BeginsWithHttp2(read.Buffer);
                if (begins is null && !read.IsCompleted)
                {
                    looked = read.Buffer.Length;
                    input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                    continue;
                }

                // Not marked as looked at beyond what was before: who reads next must find the bytes without waiting for others.
                input.AdvanceTo(read.Buffer.Start, read.Buffer.GetPosition(looked));
                return begins ?? false;
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            return null;
        }
    }

    // Null: the bytes so far could become either.
    private static bool? BeginsWithHttp2(ReadOnlySequence<byte> bytes)
    {
        Span<byte> first = stackalloc byte[Preface.Length];
        int length = (int)Math.Min(bytes.Length, first.Length);
        bytes.Slice(0, length).CopyTo(first);
        if (!first[..length].SequenceEqual(Preface[..length])) return false;
        return length == Preface.Length ? true : null;
    }
}
