using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Garnet;
using Garnet.server;
using Garnet.server.Auth.Settings;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using StackExchange.Redis;

namespace KwaaiNet.Discovery.Backends;

/// <summary>The directory in a Garnet server inside this process: nothing to install, and the Redis code path is the one that runs.</summary>
/// <remarks>It listens on loopback only, on a port the system chooses, behind a password of this process's own. Nothing is written to disk.</remarks>
internal sealed class EmbeddedDirectory : IDirectoryBackend
{
    private const int PortAttempts = 8;

    // Its first script compiles a Lua runtime; on a machine where ten programs want each core that took four seconds.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly GarnetServer _server;
    private readonly RedisDirectory _directory;
    private int _disposed;

    private EmbeddedDirectory(GarnetServer server, RedisDirectory directory)
    {
        _server = server;
        _directory = directory;
    }

    /// <inheritdoc/>
    public string Name => _directory.Name;

    /// <summary>Starts the server.</summary>
    public static EmbeddedDirectory Start(int maxNodes, TimeProvider time, ILoggerFactory loggers)
    {
        string password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        (GarnetServer server, int port) = StartServer(password);
        ConfigurationOptions options = new() { EndPoints = { { IPAddress.Loopback, port } }, Password = password };
        RedisConnection connection = new(options, "The embedded Redis server", s_patience, loggers.CreateLogger<RedisConnection>());
        return new EmbeddedDirectory(server, new RedisDirectory(connection, maxNodes, time, loggers.CreateLogger<RedisDirectory>()));
    }

    /// <inheritdoc/>
    public Task AnnounceAsync(SignedNodeRecord record, CancellationToken cancellationToken = default) =>
        _directory.AnnounceAsync(record, cancellationToken);

    /// <inheritdoc/>
    public Task WithdrawAsync(SignedNodeRecord tombstone, CancellationToken cancellationToken = default) =>
        _directory.WithdrawAsync(tombstone, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SignedNodeRecord>> LookupAsync(NodeQuery query, CancellationToken cancellationToken = default) =>
        _directory.LookupAsync(query, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<NodeChange> WatchAsync(NodeQuery query, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (NodeChange change in _directory.WatchAsync(query, cancellationToken).ConfigureAwait(false))
            yield return change;
    }

    /// <inheritdoc/>
    public Task SignInAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken = default) => _directory.PingAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The container disposes a service once for every type it is registered as; Garnet does not take that well.
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;
        // The client first: a connection that its server cuts would be made again.
        await _directory.DisposeAsync().ConfigureAwait(false);
        _server.Dispose();
    }

    private static (GarnetServer Server, int Port) StartServer(string password)
    {
        for (int attempt = 1; ; attempt++)
        {
            // Garnet cannot say which port the system chose for it, so one is chosen here; another program may take it in between.
            int port = FreePort();
            GarnetServer? server = null;
            try
            {
                server = new GarnetServer(Options(port, password));
                server.Start();
                return (server, port);
            }
            catch (SocketException) when (attempt < PortAttempts)
            {
                server?.Dispose();
            }
        }
    }

    private static GarnetServerOptions Options(int port, string password) => new(null)
    {
        EndPoints = [new IPEndPoint(IPAddress.Loopback, port)],
        AuthSettings = new PasswordAuthenticationSettings(password),
        QuietMode = true,
        // Compare-and-set needs scripts, and a script must not be interleaved with another on the same keys.
        EnableLua = true,
        LuaTransactionMode = true,
        LuaOptions = new LuaOptions(LuaMemoryManagementMode.Native, "", Timeout.InfiniteTimeSpan, LuaLoggingMode.Silent, [], null),
        LogMemorySize = "128m",
        PageSize = "1m",
        SegmentSize = "16m",
        IndexMemorySize = "1m",
    };

    private static int FreePort()
    {
        using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
