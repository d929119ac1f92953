using System.Security.Cryptography;
using System.Text;
using KwaaiNet.ApiNode.Chat;
using KwaaiNet.ApiNode.Configuration;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Whose conversations a request may be served from: those that were sent with the same API key.</summary>
/// <remarks>A page that is found again shows in the time to the first token; between callers that would tell what others have asked.</remarks>
internal static class CallerScope
{
    private const int ScopeBytes = 16;

    /// <summary>Writes the scope into the request's options. Never the key itself: options reach logs.</summary>
    public static void Set(ChatOptions options, HttpContext context)
    {
        string key = context.Request.Headers.Authorization.ToString();
        if (key.Length > 0 && !context.RequestServices.GetRequiredService<IOptions<ApiOptions>>().Value.ShareCacheBetweenKeys)
        {
            (options.AdditionalProperties ??= [])[ChatProperties.CacheScope] =
                Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, ScopeBytes));
        }
    }
}
