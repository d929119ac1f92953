using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.OpenAIJson;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Routes;

/// <summary><c>POST /v1/chat/completions</c>: OpenAI's wire over the chat client.</summary>
internal static class ChatCompletionsRoute
{
    /// <summary>Maps the route.</summary>
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/chat/completions", (RequestDelegate)HandleAsync);

    private static async Task HandleAsync(HttpContext context)
    {
        IChatClient client = context.RequestServices.GetRequiredService<IChatClient>();
        int limit = context.RequestServices.GetRequiredService<IOptions<ApiOptions>>().Value.MaxRequestBytes;
        ChatCompletionRequest request = ChatCompletionRequestReader.Read(await RequestBody.ReadJsonAsync(context, limit).ConfigureAwait(false));
        CallerScope.Set(request.Options, context);
        if (request.Stream)
        {
            await ChatCompletionStream.WriteAsync(context, client, request).ConfigureAwait(false);
            return;
        }

        ChatResponse response = await client.GetResponseAsync(request.Messages, request.Options, context.RequestAborted).ConfigureAwait(false);
        ChatCompletion completion = new(
            response.ResponseId ?? "",
            ChatCompletion.ObjectName,
            CompletionFields.Created(response.CreatedAt),
            response.ModelId ?? request.Options.ModelId!,
            [new CompletionChoice(0, new CompletionMessage("assistant", response.Text), CompletionFields.FinishReason(response.FinishReason))
            {
                Logprobs = CompletionFields.Logprobs(response.AdditionalProperties),
            }],
            CompletionFields.Usage(response.Usage),
            CompletionFields.Fingerprint(response));
        await context.Response.WriteAsJsonAsync(completion, ApiJsonContext.Unescaped.ChatCompletion, cancellationToken: context.RequestAborted).ConfigureAwait(false);
    }
}
