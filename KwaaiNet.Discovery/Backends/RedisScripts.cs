namespace KwaaiNet.Discovery.Backends;

/// <summary>The directory's writes, each one step for Redis. Only what Garnet's Lua knows too.</summary>
internal static class RedisScripts
{
    /// <summary>What <see cref="Store"/> answers when the directory takes no more nodes.</summary>
    public const string Full = "full";

    /// <summary>Stores a record or a tombstone if its sequence is above the stored one, and tells the watchers.</summary>
    // KEYS  record, sequence, nodes   ARGV  sequence (20 digits: texts compare like numbers, which Lua's doubles would not above 2^53),
    // wire, record's life in ms, sequence's life in ms, node id, channel, '1' for a tombstone, most nodes
    // Answers '' when stored or there already, 'full', or the stored sequence.
    public const string Store = """
        local stored = redis.call('GET', KEYS[2])
        if stored then
          if stored > ARGV[1] then return stored end
          if stored == ARGV[1] then
            if redis.call('GET', KEYS[1]) == ARGV[2] then return '' end
            return stored
          end
        elseif redis.call('SCARD', KEYS[3]) >= tonumber(ARGV[8]) then
          return 'full'
        end
        redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        if ARGV[7] == '1' then
          redis.call('SREM', KEYS[3], ARGV[5])
        else
          redis.call('SADD', KEYS[3], ARGV[5])
        end
        redis.call('PUBLISH', ARGV[6], ARGV[2])
        return ''
        """;

    /// <summary>Writes as a record is written: a server that is full, a replica, or cannot save says so.</summary>
    // KEYS  probe
    public const string Probe = """
        redis.call('SET', KEYS[1], '1', 'PX', 1000)
        return ''
        """;

    /// <summary>Removes a node id whose record is gone: asked and done in one step, or an announcement in between would be lost.</summary>
    // KEYS  record, nodes   ARGV  node id
    public const string Forget = """
        if redis.call('EXISTS', KEYS[1]) == 0 then
          redis.call('SREM', KEYS[2], ARGV[1])
          return 1
        end
        return 0
        """;
}
