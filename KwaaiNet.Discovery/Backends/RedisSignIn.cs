using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace KwaaiNet.Discovery.Backends;

/// <summary>Asks a Redis server whether it lets us in: the client sends AUTH without listening, and knows only that what follows fails.</summary>
// *3 CRLF $4 CRLF AUTH CRLF $<n> CRLF <user> CRLF $<n> CRLF <password> CRLF   *1 CRLF $4 CRLF PING CRLF      (https://redis.io/docs/latest/develop/reference/protocol-spec/)
// -WRONGPASS invalid username-password pair or user is disabled. CRLF         a line that starts with '-' is an error
internal static class RedisSignIn
{
    private const int MaxReply = 512;

    /// <summary>The server's error, without its sign; null when it has none or cannot be asked.</summary>
    public static async Task<string?> AskAsync(ConfigurationOptions options, TimeSpan limit, CancellationToken cancellationToken)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(limit);
        foreach (EndPoint endpoint in options.EndPoints)
        {
            try
            {
                if (await AskAsync(endpoint, options, over.Token).ConfigureAwait(false) is { } error) return error;
            }
            catch (Exception failure) when (failure is IOException or SocketException or System.Security.Authentication.AuthenticationException
                || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // Away, or not yet there: nothing is known of the password.
            }
        }

        return null;
    }

    private static async Task<string?> AskAsync(EndPoint endpoint, ConfigurationOptions options, CancellationToken cancellationToken)
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
        await using NetworkStream plain = new(socket);
        await using SslStream? tls = options.Ssl ? new SslStream(plain) : null;
        if (tls is not null)
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = options.SslHost ?? (endpoint as DnsEndPoint)?.Host ?? "" }, cancellationToken).ConfigureAwait(false);
        Stream stream = tls is null ? plain : tls;
        await stream.WriteAsync(Encoding.UTF8.GetBytes(Words(options)), cancellationToken).ConfigureAwait(false);
        using StreamReader reader = new(stream, Encoding.UTF8);
        for (int replies = string.IsNullOrEmpty(options.Password) ? 1 : 2; replies > 0; replies--)
        {
            string reply = await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) ?? "";
            if (reply.StartsWith('-')) return reply.Length > MaxReply ? reply[1..MaxReply] : reply[1..];
        }

        return null;
    }

    private static string Words(ConfigurationOptions options)
    {
        string ping = Command("PING");
        if (string.IsNullOrEmpty(options.Password)) return ping;
        return (string.IsNullOrEmpty(options.User) ? Command("AUTH", options.Password) : Command("AUTH", options.User, options.Password)) + ping;
    }

    private static string Command(params string[] words) =>
        $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n"));
}
