using System.Text.Json;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using KwaaiNet.ModelStore.Local;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet models --verify</c>: reads every model again and compares it with what is known of it.</summary>
internal static class ModelCheck
{
    public static int Run(CommandContext context, CancellationToken cancellationToken, bool json = false)
    {
        bool allGood = true;
        List<object> verdicts = [];
        foreach (LocalModel model in LocalModels.List(context.Home))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string verdict;
            bool good = true;
            try
            {
                using ModelFile file = ModelFile.Open(model.Path);
                verdict = Compare(file, ModelCard.Read(model.Path), ref good);
            }
            catch (Exception exception) when (exception is ModelFormatException or IOException or UnauthorizedAccessException)
            {
                good = false;
                verdict = exception.Message;
            }

            allGood &= good;
            if (json) verdicts.Add(new { model.Name, model.Path, good, verdict });
            else context.Terminal.Line($"{model.Name}: {verdict}");
        }

        if (json) context.Terminal.Line(JsonSerializer.Serialize(new { models = verdicts }, CommandJson.Options));
        return allGood ? ExitCode.Success : ExitCode.Failure;
    }

    private static string Compare(ModelFile file, ModelCard? card, ref bool good)
    {
        string hash = file.WeightsHash;
        if (file is GgufModelFile { Part: { } part })
            return $"good: {part.Blocks}, every tensor is as it was downloaded (the publisher's SHA-256 is of the whole file and was not compared)";
        if (card?.Sha256 is not { } expected) return $"SHA-256 {hash}; nothing is known to compare it with";
        if (expected == hash) return $"good: SHA-256 {hash}, as it was when it came";
        good = false;
        return $"DAMAGED: SHA-256 {expected} when it came, {hash} now. Remove it and pull it again.";
    }
}
