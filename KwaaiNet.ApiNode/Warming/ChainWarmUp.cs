using System.Collections.Concurrent;
using System.Threading.Channels;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.ApiNode.Warming;

/// <summary>Runs a few short answers that nobody reads through shards that are new here, so that the first request of a network runs like the tenth.</summary>
/// <remarks>
/// A first answer connects the API node to its shards and the shards to one another, and has the code of every process on its way compiled; the
/// next ones have it compiled well, for the runtime counts calls only when it has not met new code for a tenth of a second. All of it is shorter than a page of KV
/// cache, so nothing of it is kept. One chain at a time, each node of it once for as long as its process lives. A chain that fails is not a reason
/// to wait: requests find another.
/// </remarks>
internal sealed partial class ChainWarmUp(IChatModelCatalog catalog, ChainServices services, ILogger<ChainWarmUp> logger) : BackgroundService
{
    private const int Answers = 3;
    private const int MostPrompt = 16;
    private const int MostPositions = 60;

    // A chain that takes longer than this for three short answers is not slow because it is new.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(4);

    // A little longer than what the runtime waits for.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(120);

    private readonly ConcurrentDictionary<string, bool> _ended = new(StringComparer.Ordinal);
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<string, long> _warmed = new(StringComparer.Ordinal);

    /// <summary>Whether a model has not had its first chain warmed yet.</summary>
    /// <param name="model">The model's id.</param>
    public bool IsPending(string model) => services.Options.WarmUp && !_ended.ContainsKey(model);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!services.Options.WarmUp)
        {
            return;
        }

        services.Nodes.Changed += Look;
        catalog.Changed += Look;
        try
        {
            Look();
            await foreach (bool _ in _news.Reader.ReadAllAsync(stoppingToken).ConfigureAwait(false))
            {
                Forget();
                foreach (ChatModel model in catalog.Models)
                {
                    await WarmAsync(model, stoppingToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            services.Nodes.Changed -= Look;
            catalog.Changed -= Look;
        }
    }

    private void Look() => _news.Writer.TryWrite(true);

    private async Task WarmAsync(ChatModel model, CancellationToken stoppingToken)
    {
        int[] prompt = Prompt(model);
        SamplingParameters[] ways = [SamplingParameters.Greedy, new SamplingParameters { Temperature = 0.8f, TopP = 0.95f, Seed = 1 }];
        while (Plan(model, prompt) is { } chain)
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            await using ITimer timer = services.Time.CreateTimer(static limit => ((CancellationTokenSource)limit!).Cancel(), limit, s_limit, Timeout.InfiniteTimeSpan);
            services.Sessions.Begin(chain);
            int tokens = 0;
            try
            {
                for (int answer = 0; answer < Answers; answer++)
                {
                    if (answer > 0)
                    {
                        await Task.Delay(s_pause, services.Time, limit.Token).ConfigureAwait(false);
                    }

                    tokens += await AnswerAsync(model, chain, prompt, ways[answer % ways.Length], limit.Token).ConfigureAwait(false);
                }
            }
            catch (ShardFailureException failure)
            {
                LogFailed(model.Id, failure.Message);
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                // Long enough.
            }
            finally
            {
                services.Sessions.End(chain);
            }

            foreach (ChainHop hop in chain.Hops)
            {
                _warmed[hop.NodeId] = hop.StartedUnixMs;
            }

            _ended[model.Id] = true;
            LogWarmed(model.Id, tokens, chain);
        }
    }

    // Nodes come and go for as long as this one lives.
    private void Forget()
    {
        HashSet<string> known = [.. services.Nodes.Records.Select(record => record.NodeId)];
        foreach (string gone in _warmed.Keys.Where(node => !known.Contains(node)).ToArray())
        {
            _warmed.Remove(gone);
        }
    }

    private ShardChain? Plan(ChatModel model, int[] prompt)
    {
        ChainPlan plan = services.Router.Plan(new ChainRequest
        {
            Model = model,
            Positions = Positions(model),
            ExpectedPositions = Positions(model),
            PromptTokens = prompt.Length,
            Avoid = _warmed.Aggregate(AvoidedNodes.None, (warmed, node) => warmed.With(node.Key, node.Value)),
            // Shards that are full now are asked, and say so: a node must not be unhealthy for as long as others use them.
            Room = KvRoom.Whole,
        });
        return plan.Found ? plan.Chain : null;
    }

    private async Task<int> AnswerAsync(ChatModel model, ShardChain chain, int[] prompt, SamplingParameters sampling, CancellationToken cancellationToken)
    {
        SessionSettings settings = SessionSettings.Of(model, services, prompt, sampling, Positions(model) - prompt.Length) with { Requested = services.Time.GetUtcNow() };
        using ChainSession session = await ChainSession.OpenAsync(settings, chain, services.Links, services.Time, cancellationToken).ConfigureAwait(false);
        session.SendPrompt();
        int tokens = 1;
        while (!(await session.NextAsync().ConfigureAwait(false)).Last)
        {
            tokens++;
        }

        return tokens;
    }

    // What people write first, so that template and vocabulary are warm as well; whatever a template makes of it, or refuses, some tokens do.
    private static int[] Prompt(ChatModel model)
    {
        int[] tokens = [];
        try
        {
            tokens = PromptEncoder.Encode(model, [new ChatTurn("user", "Hi")], new ChatTemplateOptions());
        }
        catch (ChatTemplateException)
        {
            // The requests will say so.
        }

        return tokens.Length > 0 ? tokens[..Math.Min(tokens.Length, Math.Min(MostPrompt, Positions(model) / 2))] : [0];
    }

    private static int Positions(ChatModel model) => Math.Min(MostPositions, model.ContextLength);

    [LoggerMessage(LogLevel.Debug, "Warmed {Model} with {Tokens} tokens on {Chain}.")]
    private partial void LogWarmed(string model, int tokens, ShardChain chain);

    [LoggerMessage(LogLevel.Debug, "A chain of {Model} could not be warmed: {Reason}")]
    private partial void LogFailed(string model, string reason);
}
