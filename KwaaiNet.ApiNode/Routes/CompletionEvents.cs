using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using KwaaiNet.ApiNode.OpenAIJson;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Writes the events of one streamed answer. Once warm nothing is allocated for one that only carries text.</summary>
/// <remarks>
/// Of such an event all but the text is the same as in the one before: the serializer writes it once, and the events are its bytes with
/// another text between them. Where something else changes, or there is more to say, the serializer writes all of it.
/// </remarks>
internal sealed class CompletionEvents
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = ApiJsonContext.Unescaped.Options.Encoder, SkipValidation = true };

    private readonly PipeWriter _output;
    private readonly Utf8JsonWriter _json;
    private readonly bool _hasUsage;
    private byte[]? _beforeText;
    private byte[] _behindText = [];
    private string _id = "";
    private string _model;
    private string? _fingerprint;
    private DateTimeOffset? _createdAt;
    private long _created;

    /// <summary>Nothing is written yet.</summary>
    /// <param name="output">Where to; nothing is flushed here.</param>
    /// <param name="model">The model, until an update says which.</param>
    /// <param name="hasUsage">Whether there will be an event for usage, and a field for it in all.</param>
    public CompletionEvents(PipeWriter output, string model, bool hasUsage)
    {
        _output = output;
        _json = new Utf8JsonWriter(output, s_options);
        _model = model;
        _hasUsage = hasUsage;
    }

    private static ReadOnlySpan<byte> EventStart => "data: "u8;

    private static ReadOnlySpan<byte> EventEnd => "\n\n"u8;

    // A text's quotation marks are escaped, so no other place of an event looks like this.
    private static ReadOnlySpan<byte> TextStart => "\"delta\":{\"content\":"u8;

    private static ReadOnlySpan<byte> NoText => "\"\""u8;

    /// <summary>The first event: who speaks.</summary>
    public void WriteRole(ChatResponseUpdate update)
    {
        Note(update);
        WriteChunk(new ChunkDelta("assistant", ""), null, null);
    }

    /// <summary>What an update adds to the answer: text, log probabilities, or nothing.</summary>
    public void Write(ChatResponseUpdate update)
    {
        Note(update);
        string text = update.Text;
        CompletionLogprobs? logprobs = CompletionFields.Logprobs(update.AdditionalProperties);
        if (logprobs is { Content.Count: > 0 })
        {
            WriteChunk(new ChunkDelta(null, text), null, logprobs);
        }
        else if (text.Length > 0)
        {
            WriteText(text);
        }
    }

    /// <summary>Why the answer ended.</summary>
    public void WriteFinish(ChatFinishReason? finish) => WriteChunk(new ChunkDelta(null, null), CompletionFields.FinishReason(finish), null);

    /// <summary>Tokens counted, if the request asked for them.</summary>
    public void WriteUsage(UsageDetails? usage)
    {
        if (_hasUsage)
        {
            WriteChunk([], CompletionFields.Usage(usage));
        }
    }

    /// <summary>The answer is whole.</summary>
    public void WriteDone() => _output.Write("data: [DONE]\n\n"u8);

    /// <summary>What went wrong behind the first event.</summary>
    public void Write(ErrorEnvelope error)
    {
        _output.Write(EventStart);
        JsonSerializer.Serialize(_json, error, ApiJsonContext.Unescaped.ErrorEnvelope);
        End();
    }

    private void Note(ChatResponseUpdate update)
    {
        // All events of an answer say the same of it, by the same objects.
        if (update.ResponseId is { } id && !ReferenceEquals(id, _id))
        {
            _id = id;
            _beforeText = null;
        }

        if (update.ModelId is { } model && !ReferenceEquals(model, _model))
        {
            _model = model;
            _beforeText = null;
        }

        if (update.CreatedAt is { } createdAt && createdAt != _createdAt)
        {
            _createdAt = createdAt;
            _created = CompletionFields.Created(createdAt);
            _beforeText = null;
        }

        if (CompletionFields.Fingerprint(update.AdditionalProperties) is { } fingerprint && !ReferenceEquals(fingerprint, _fingerprint))
        {
            _fingerprint = fingerprint;
            _beforeText = null;
        }
    }

    private void WriteText(string text)
    {
        if (_beforeText is null)
        {
            PrepareText();
        }

        _output.Write(_beforeText);
        _json.WriteStringValue(text);
        _json.Flush();
        _json.Reset();
        _output.Write(_behindText);
    }

    private void PrepareText()
    {
        ArrayBufferWriter<byte> buffer = new(512);
        using Utf8JsonWriter json = new(buffer, s_options);
        Serialize(json, [new ChunkChoice(0, new ChunkDelta(null, ""), null)], null);
        json.Flush();
        int text = buffer.WrittenSpan.IndexOf(TextStart) + TextStart.Length;
        _beforeText = [.. EventStart, .. buffer.WrittenSpan[..text]];
        _behindText = [.. buffer.WrittenSpan[(text + NoText.Length)..], .. EventEnd];
    }

    private void WriteChunk(ChunkDelta delta, string? finishReason, CompletionLogprobs? logprobs) =>
        WriteChunk([new ChunkChoice(0, delta, finishReason) { Logprobs = logprobs }], null);

    private void WriteChunk(IReadOnlyList<ChunkChoice> choices, CompletionUsage? usage)
    {
        _output.Write(EventStart);
        Serialize(_json, choices, usage);
        End();
    }

    private void Serialize(Utf8JsonWriter json, IReadOnlyList<ChunkChoice> choices, CompletionUsage? usage)
    {
        if (_hasUsage)
        {
            JsonSerializer.Serialize(
                json, new CompletionChunkWithUsage(_id, CompletionChunk.ObjectName, _created, _model, _fingerprint, choices, usage),
                ApiJsonContext.Unescaped.CompletionChunkWithUsage);
        }
        else
        {
            JsonSerializer.Serialize(
                json, new CompletionChunk(_id, CompletionChunk.ObjectName, _created, _model, _fingerprint, choices), ApiJsonContext.Unescaped.CompletionChunk);
        }
    }

    private void End()
    {
        _json.Flush();
        _json.Reset();
        _output.Write(EventEnd);
    }
}
