using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Cli.Commands;
using KwaaiNet.ModelStore.Local;

namespace KwaaiNet.Cli.Models;

/// <summary><c>kwaainet models --verify</c>: reads every model again and compares it with what is known of it.</summary>
internal static class ModelCheck
{
    public static int Run(CommandContext context, CancellationToken cancellationToken)
    {
        bool allGood = true;
        foreach (LocalModel model in LocalModels.List(context.Home))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string verdict;
            try
            {
                using ModelFile file = ModelFile.Open(model.Path);
                verdict = Compare(file, ModelCard.Read(model.Path), ref allGood);
            }
            catch (Exception exception) when (exception is ModelFormatException or IOException or UnauthorizedAccessException)
            {
                allGood = false;
                verdict = exception.Message;
            }

            context.Terminal.Line($"{model.Name}: {verdict}");
        }

        return allGood ? ExitCode.Success : ExitCode.Failure;
    }

    private static string Compare(ModelFile file, ModelCard? card, ref bool allGood)
    {
        string hash = file.WeightsHash;
        if (file is GgufModelFile { Part: { } part })
            return $"good: {part.Blocks}, every tensor is as it was downloaded (the publisher's SHA-256 is of the whole file and was not compared)";
        if (card?.Sha256 is not { } expected) return $"SHA-256 {hash}; nothing is known to compare it with";
        if (expected == hash) return $"good: SHA-256 {hash}, as it was when it came";
        allGood = false;
        return $"DAMAGED: SHA-256 {expected} when it came, {hash} now. Remove it and pull it again.";
    }
}
