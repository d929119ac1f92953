using System.Buffers;
using System.IO.Pipelines;
using KwaaiNet.ApiNode.Failures;
using Microsoft.AspNetCore.Http.Features;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Reads a JSON body no larger than allowed.</summary>
internal static class RequestBody
{
    /// <summary>Reads the whole body.</summary>
    /// <exception cref="InvalidChatRequestException">415: it is not announced as JSON; 413: it is larger than <paramref name="limit"/>.</exception>
    public static async Task<byte[]> ReadJsonAsync(HttpContext context, int limit)
    {
        HttpRequest request = context.Request;
        if (!request.HasJsonContentType())
        {
            string sent = request.ContentType is { Length: > 0 } type ? $"'{(type.Length > 80 ? type[..80] : type)}'" : "none";
            throw new InvalidChatRequestException(
                null, $"The Content-Type is {sent}; send application/json.", "unsupported_media_type", StatusCodes.Status415UnsupportedMediaType);
        }

        // The limit is ours, and so is the answer to a body beyond it.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = null;
        }

        if (request.ContentLength > limit)
        {
            throw TooLarge(limit);
        }

        PipeReader reader = request.BodyReader;
        while (true)
        {
            ReadResult result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            if (result.Buffer.Length > limit)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw TooLarge(limit);
            }

            if (result.IsCompleted)
            {
                byte[] body = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return WithoutMark(body);
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    // Some editors put U+FEFF in front of a file; JSON's grammar does not know it.
    private static byte[] WithoutMark(byte[] body) => body is [0xEF, 0xBB, 0xBF, ..] ? body[3..] : body;

    private static InvalidChatRequestException TooLarge(int limit) => new(
        null, $"The body is larger than {limit} bytes (Api:MaxRequestBytes). Send less.", "request_too_large", StatusCodes.Status413PayloadTooLarge);
}
