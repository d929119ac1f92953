using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KwaaiNet.Benchmarks.TokenStream;

/// <summary>Users in a process of their own: each has a connection and a thread that reads what comes, as bytes.</summary>
internal static class StreamReaders
{
    /// <summary>The command that runs them: port, users, tokens.</summary>
    public const string Command = "token-stream-readers";

    public static void Run(string[] args)
    {
        int[] numbers = [.. args.Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))];
        Thread[] threads = [.. Enumerable.Range(0, numbers[1]).Select(_ => new Thread(() => Read(numbers[0], numbers[2])))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
    }

    private static void Read(int port, int tokens)
    {
        string body = $$"""{"model":"demo","stream":true,"temperature":0,"max_tokens":{{tokens}},"messages":[{"role":"user","content":"Hi"}]}""";
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, port);
        socket.Send(Encoding.ASCII.GetBytes(
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        byte[] buffer = new byte[1 << 16];
        ReadOnlySpan<byte> end = "data: [DONE]"u8;
        int kept = 0;
        while (socket.Receive(buffer.AsSpan(kept)) is int read and > 0)
        {
            Span<byte> seen = buffer.AsSpan(0, kept + read);
            if (seen.IndexOf(end) >= 0) return;
            kept = Math.Min(end.Length - 1, seen.Length);
            seen[^kept..].CopyTo(buffer);
        }

        throw new IOException($"A stream ended early: {Encoding.UTF8.GetString(buffer)[..200]}");
    }
}
