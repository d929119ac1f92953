namespace KwaaiNet.ApiNode.Configuration;

/// <summary>Which web pages may call this API from a browser.</summary>
public sealed class ApiCorsOptions
{
    /// <summary>Stands for every origin.</summary>
    public const string AnyOrigin = "*";

    /// <summary>Origins such as <c>https://app.example</c> or <c>http://localhost:5173</c>, without a path; <see cref="AnyOrigin"/> for all of them. Default: none.</summary>
    public IList<string> Origins { get; } = [];

    /// <summary>Whether a text is an origin: a scheme and a host, perhaps a port, nothing behind it.</summary>
    internal static bool IsOrigin(string origin) =>
        origin == AnyOrigin
        || (Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && uri.Host.Length > 0
            && uri.UserInfo.Length == 0 && uri.AbsolutePath.Trim('/').Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0);
}
