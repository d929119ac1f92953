using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace KwaaiNet.ModelStore.Transfer;

/// <summary>Asks servers for files, whole or in part, follows their redirects, and says what a refusal means.</summary>
/// <remarks>Redirects are followed by hand: a token is for one host, and must not travel on to the next.</remarks>
internal sealed class RemoteReader(HttpClient http, TimeProvider time)
{
    private const int MostRedirects = 10;

    /// <summary>A client that follows no redirect by itself and waits as long as its caller does.</summary>
    public static HttpClient CreateClient()
    {
        HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None, ConnectTimeout = TimeSpan.FromSeconds(30) })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("kwaainet", "0.1"));
        return client;
    }

    /// <summary>Asks for a file from a byte on.</summary>
    /// <param name="file">The file.</param>
    /// <param name="from">The first byte wanted.</param>
    /// <param name="end">One past the last byte wanted; null: to the file's end.</param>
    /// <param name="etag">The version the earlier bytes came from; null: none known.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="TransferCutException">It may work another time.</exception>
    /// <exception cref="ModelStoreException">It will not.</exception>
    public async Task<RemoteAnswer> OpenAsync(RemoteFile file, long from, long? end, string? etag, CancellationToken cancellationToken)
    {
        Uri address = file.Address;
        LinkedFile linked = default;
        for (int redirects = 0; redirects <= MostRedirects; redirects++)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, address);
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
            if (from > 0 || end is not null)
            {
                request.Headers.Range = new RangeHeaderValue(from, end - 1);
                if (etag is not null) request.Headers.IfRange = new RangeConditionHeaderValue(etag);
            }

            if (file.Token is not null && address.Authority == file.Address.Authority && address.Scheme == file.Address.Scheme)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", file.Token);

            HttpResponseMessage response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent) return new RemoteAnswer(response, linked);
            using (response)
            {
                if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
                    throw Refusal(file, response);
                linked = new LinkedFile(linked.Sha256 ?? LinkedSha256(response), linked.Size ?? LinkedSize(response));
                Uri next = new(address, location);
                if (next.Scheme != Uri.UriSchemeHttps && (next.Scheme != Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps))
                    throw new ModelStoreException($"{address.Host} sends us from an encrypted address on to {next.Scheme}://{next.Host}, which is not.", "ask another registry, with --registry.");
                address = next;
            }
        }

        throw new ModelStoreException($"{file.Address} redirects more than {MostRedirects} times.", "check the registry's address.");
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException exception)
        {
            throw new TransferCutException($"{request.RequestUri!.Authority} cannot be reached: {exception.Message}", null, exception);
        }
    }

    private Exception Refusal(RemoteFile file, HttpResponseMessage response)
    {
        string asked = response.RequestMessage?.RequestUri?.Authority ?? file.Address.Authority;
        string status = string.Create(CultureInfo.InvariantCulture, $"{(int)response.StatusCode} {response.ReasonPhrase}");
        switch (response.StatusCode)
        {
            case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                return new ModelStoreException($"{asked} has no {file.Name} ({status}).", "check the name and the tag; a repository that is private answers so too.") { Status = response.StatusCode };
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                return new ModelStoreException(
                    $"{asked} does not give {file.Name} to {(file.Token is null ? "strangers" : "this token")} ({status}).",
                    "check the name; for a gated repository accept its licence on its page, and set HF_TOKEN (or ModelStore__HuggingFaceToken) to your access token.")
                { Status = response.StatusCode };
            case HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError:
                return new TransferCutException($"{asked} answers {status}", RetryAfter(response));
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                return new ModelStoreException($"{asked} says that {file.Name} is shorter than what was here of it ({status}).", "pull it again: it starts from the beginning when the file has changed.") { Status = response.StatusCode };
            default:
                return new ModelStoreException($"{asked} answers {status} for {file.Name}.", "try again later, or ask another registry, with --registry.") { Status = response.StatusCode };
        }
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > time.GetUtcNow() => date - time.GetUtcNow(),
        _ => null,
    };

    private static string? LinkedSha256(HttpResponseMessage response) =>
        response.Headers.TryGetValues("X-Linked-Etag", out IEnumerable<string>? values) && values.First().Trim('"').ToLowerInvariant() is { Length: 64 } hex && hex.All(char.IsAsciiHexDigit)
            ? hex
            : null;

    private static long? LinkedSize(HttpResponseMessage response) =>
        response.Headers.TryGetValues("X-Linked-Size", out IEnumerable<string>? values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out long size)
            ? size
            : null;
}
