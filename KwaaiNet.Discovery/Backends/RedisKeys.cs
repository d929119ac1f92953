using StackExchange.Redis;

namespace KwaaiNet.Discovery.Backends;

/// <summary>Where the directory lies in Redis.</summary>
// {kwaainet}:record:<node id>    the SignedRecord as signed; lives for the record's ttl, a tombstone for the retention
// {kwaainet}:sequence:<node id>  the highest sequence seen, 20 decimal digits; lives for ttl + retention
// {kwaainet}:nodes               set of node ids that may be live; an id whose record is gone is removed by whoever notices
// {kwaainet}:probe               written to see whether anything can be; lives for a second
// {kwaainet}:changes             channel: one SignedRecord per change, tombstones included; expiry is silent; empty messages are echoes
// The braces keep all keys on one slot of a Redis cluster, so that one script may touch them together.
internal static class RedisKeys
{
    public const string RecordPrefix = "{kwaainet}:record:";

    public static readonly RedisKey Nodes = "{kwaainet}:nodes";

    public static readonly RedisKey Probe = "{kwaainet}:probe";

    public static readonly RedisChannel Changes = RedisChannel.Literal("{kwaainet}:changes");

    public static RedisKey Record(string nodeId) => RecordPrefix + nodeId;

    public static RedisKey Sequence(string nodeId) => "{kwaainet}:sequence:" + nodeId;
}
