using System.ComponentModel.DataAnnotations;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ShardNode.Configuration;

/// <summary>What this shard serves and how much it may take on. Configuration section <c>Shard</c>.</summary>
internal sealed class ShardOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Shard";

    /// <summary>Default for <see cref="Backend"/>: a GPU where there is one, otherwise the processor.</summary>
    public const string DefaultBackend = "auto";

    /// <summary>Default for <see cref="SessionTtlSeconds"/>: ten minutes.</summary>
    public const int DefaultSessionTtlSeconds = 600;

    /// <summary>Default for <see cref="KvBudgetMegabytes"/>: 1 GiB.</summary>
    public const int DefaultKvBudgetMegabytes = 1024;

    /// <summary>Default for <see cref="KvFormat"/>.</summary>
    public const string DefaultKvFormat = "f16";

    /// <summary>Default for <see cref="MaxSessions"/>.</summary>
    public const int DefaultMaxSessions = 256;

    /// <summary>Default for <see cref="MaxQueuedSteps"/>.</summary>
    public const int DefaultMaxQueuedSteps = 256;

    /// <summary>Default for <see cref="PrefillChunkRows"/>.</summary>
    public const int DefaultPrefillChunkRows = 256;

    /// <summary>Default for <see cref="IterationTargetMs"/>.</summary>
    public const double DefaultIterationTargetMs = 50;

    /// <summary>Default for <see cref="HangSeconds"/>.</summary>
    public const int DefaultHangSeconds = 10;

    /// <summary>Default for <see cref="DrainSeconds"/>.</summary>
    public const int DefaultDrainSeconds = 5;

    /// <summary>The model: a <c>.gguf</c> file, or a folder of <c>config.json</c> and <c>.safetensors</c> files. Not needed with <see cref="Pull"/>.</summary>
    public string ModelPath { get; set; } = "";

    /// <summary>
    /// Whether this shard may download: <see cref="Model"/> is then looked for in the folder of section <c>ModelStore</c>, and where it is
    /// not there, its header and the blocks this shard chooses are pulled. Default false.
    /// </summary>
    public bool Pull { get; set; }

    /// <summary>The name the model is announced under, such as <c>llama3.1:8b</c>; null: the file's name without extension. What is pulled, with <see cref="Pull"/>.</summary>
    [StringLength(NodeRecordBounds.MaxText)]
    public string? Model { get; set; }

    /// <summary>Blocks to serve, both ends included: <c>0-9</c>. Null: chosen from what discovery says is missing.</summary>
    public string? Blocks { get; set; }

    /// <summary>Into how many even ranges automatic placement cuts the model; null: it fills the longest gap.</summary>
    [Range(1, NodeRecordBounds.MaxBlocks)]
    public int? ExpectedShards { get; set; }

    /// <summary>The most blocks automatic placement may choose; null: no bound.</summary>
    [Range(1, NodeRecordBounds.MaxBlocks)]
    public int? MaxBlocks { get; set; }

    /// <summary><c>auto</c>, <c>cpu</c> or <c>ilgpu</c>.</summary>
    [RegularExpression("(?i)auto|cpu|ilgpu", ErrorMessage = "Shard:Backend is auto, cpu or ilgpu.")]
    public string Backend { get; set; } = DefaultBackend;

    /// <summary>The accelerator to compute on, by the number that <c>kwaainet devices</c> shows; null: the first GPU, where <see cref="Backend"/> takes one.</summary>
    [Range(0, 1024)]
    public int? Device { get; set; }

    /// <summary>Threads the cpu backend computes with; 0: one per processor.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>
    /// Whether shards of this user on this machine compute one after the other where their threads would not fit side by side (more than half of the
    /// processors each, cpu backend). Default true.
    /// </summary>
    public bool TakeTurns { get; set; } = true;

    /// <summary>How long a session may lie idle, and what a finished one left in the KV cache may lie unused, before it is released, in seconds. Default 600.</summary>
    [Range(1, 86_400)]
    public int SessionTtlSeconds { get; set; } = DefaultSessionTtlSeconds;

    /// <summary>Upper bound of all KV caches together, in MiB. Default 1024.</summary>
    [Range(1, 16 * 1024 * 1024)]
    public int KvBudgetMegabytes { get; set; } = DefaultKvBudgetMegabytes;

    /// <summary>
    /// How keys and values of past positions are kept: <c>f16</c>, <c>f32</c> (twice the memory) or <c>q8</c> (about half of f16, and a loss that
    /// long contexts show). Default f16. The ilgpu backend keeps float32. Shards that may stand in for each other should say the same: a session
    /// that moves from one to another goes on with the same tokens only then.
    /// </summary>
    [RegularExpression("(?i)f16|f32|q8", ErrorMessage = "Shard:KvFormat is f16, f32 or q8.")]
    public string KvFormat { get; set; } = DefaultKvFormat;

    /// <summary>Sessions that may be open at once. Default 256.</summary>
    [Range(1, 65_536)]
    public int MaxSessions { get; set; } = DefaultMaxSessions;

    /// <summary>Sessions one node may have open here at once; null: up to seven times as many as are free, so that some are left for whoever else comes.</summary>
    [Range(1, 65_536)]
    public int? MaxOwnerSessions { get; set; }

    /// <summary>Steps one neighbour may have waiting here before its stream is held back. Default 256.</summary>
    [Range(1, 65_536)]
    public int MaxQueuedSteps { get; set; } = DefaultMaxQueuedSteps;

    /// <summary>
    /// What one turn of the loop should stay within while a prompt is computed and others decode, in milliseconds: what their next tokens wait for. It counts
    /// for the whole model; a shard that holds a part of the blocks takes its part of the time. Default 50.
    /// </summary>
    [Range(1.0, 10_000.0)]
    public double IterationTargetMs { get; set; } = DefaultIterationTargetMs;

    /// <summary>How long a turn of the loop may take, in seconds, before the node counts as hung and is left by others; slow blocks have twenty times what their turns take, if that is longer. Default 10.</summary>
    [Range(1, 3_600)]
    public int HangSeconds { get; set; } = DefaultHangSeconds;

    /// <summary>Prompt rows that run in one turn of the loop at most; fewer where <see cref="IterationTargetMs"/> would be missed. No more than a step may carry. Default 256.</summary>
    [Range(1, SessionBounds.MaxStepRows)]
    public int PrefillChunkRows { get; set; } = DefaultPrefillChunkRows;

    /// <summary>How long sessions may go on when the node is told to stop, in seconds. Default 5.</summary>
    [Range(0, 600)]
    public int DrainSeconds { get; set; } = DefaultDrainSeconds;

    /// <summary>Whether a program on this machine may tell the node to drain and end (<c>POST /drain</c>): for development. Default false.</summary>
    public bool Controls { get; set; }
}
