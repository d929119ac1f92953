namespace KwaaiNet.AppHost.Shards;

/// <summary>What a shard says of itself under <c>/status</c>, as far as the dashboard shows it.</summary>
/// <param name="State"><c>starting</c>, <c>joining</c>, <c>ready</c> or <c>draining</c>.</param>
/// <param name="Blocks">First and last block held, both included; null: none yet.</param>
/// <param name="BlockCount">Blocks of the whole model; null until its file is open.</param>
/// <param name="Backend"><c>cpu</c> or <c>ilgpu</c>.</param>
/// <param name="Device">The device's own name.</param>
/// <param name="ProcessId">The node's own process.</param>
internal sealed record ShardReport(string State, string? Blocks, int? BlockCount, string? Backend, string? Device, int ProcessId);
