// The API quickstart in C#, with the OpenAI package through IChatClient. KWAAINET_URL names another address than the quickstart's.
using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI;

Uri endpoint = new((Environment.GetEnvironmentVariable("KWAAINET_URL") ?? "http://localhost:11435") + "/v1");
const string ModelId = "kwaai-demo"; // replace with a /v1/models id

using IChatClient client = new OpenAIClient(new ApiKeyCredential("sk-local-placeholder"), new OpenAIClientOptions { Endpoint = endpoint })
    .GetChatClient(ModelId)
    .AsIChatClient();

ChatResponse response = await client.GetResponseAsync("Give me a one-sentence description of KwaaiNet.");
Console.WriteLine(response.Text);

string streamed = "";
await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync("List three benefits of decentralized AI."))
{
    Console.Write(update.Text);
    streamed += update.Text;
}

Console.WriteLine();
if (string.IsNullOrWhiteSpace(response.Text) || string.IsNullOrWhiteSpace(streamed) || response.Usage?.OutputTokenCount is null or 0)
{
    Console.Error.WriteLine("csharp: an answer is empty");
    return 1;
}

Console.WriteLine("csharp: ok");
return 0;
