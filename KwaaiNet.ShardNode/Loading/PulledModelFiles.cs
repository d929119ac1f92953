using System.Globalization;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.ModelStore;
using KwaaiNet.ModelStore.Parts;
using KwaaiNet.ModelStore.Progress;
using KwaaiNet.ModelStore.Pulling;
using KwaaiNet.ModelStore.References;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Configuration;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Loading;

/// <summary>Files of the model folder: a whole model where there is one; otherwise the header and each range of blocks, pulled when they are needed.</summary>
internal sealed partial class PulledModelFiles(
    IOptions<ShardOptions> shard, IOptions<ModelStoreOptions> store, PullProgress progress, TimeProvider time, ILogger<PulledModelFiles> logger)
    : IModelFiles, IProgress<PullEvent>
{
    private readonly string _model = shard.Value.Model ?? "";
    private string? _whole;
    private int _tenths;

    /// <inheritdoc/>
    public async Task<string> ForMetadataAsync(CancellationToken cancellationToken)
    {
        // Looking into every file of the folder is no work for a thread that others wait for.
        _whole = await Task.Run(FindWhole, cancellationToken).ConfigureAwait(false);
        if (_whole is null)
        {
            PullResult result = await PullAsync(WantedBlocks.None, cancellationToken).ConfigureAwait(false);
            if (result.Blocks is not null) return result.Path;
            _whole = result.Path;
        }

        LogWhole(_model, _whole);
        return _whole;
    }

    /// <inheritdoc/>
    public async Task<string> ForBlocksAsync(BlockRange range, CancellationToken cancellationToken)
    {
        if (_whole is not null) return _whole;
        PullResult result = await PullAsync(new WantedBlocks(range.First, range.End), cancellationToken).ConfigureAwait(false);
        LogPulled(range, result.Received, result.PublishedBytes, result.Saved);
        return result.Path;
    }

    /// <summary>Hears how far a download is.</summary>
    public void Report(PullEvent value)
    {
        if (value.Stage == PullStage.Note)
        {
            LogNote(value.Text!);
            return;
        }

        if (value is not { Stage: PullStage.Receiving or PullStage.Checking, Total: > 0 and { } total }) return;
        double share = 100.0 * value.Bytes / total;
        progress.Text = string.Create(CultureInfo.InvariantCulture, $"{share:0} % of {total} bytes{(value.Stage == PullStage.Checking ? ", checking what was here" : "")}.");
        int tenths = (int)(share / 10);
        if (tenths == _tenths) return;
        _tenths = tenths;
        LogProgress(value.File ?? _model, tenths * 10, total);
    }

    private string? FindWhole()
    {
        try
        {
            CatalogModel found = new ModelCatalog(store.Value.Folder).Find(_model);

            // A catalog also finds what is alike; the nodes of a chain need the very same.
            string[] names = [_model, _model + ":latest", ModelReference.Parse(_model).LocalName.Replace('/', ':')];
            if (!names.Contains(found.Name, StringComparer.OrdinalIgnoreCase)) return null;
            using ModelFile file = ModelFile.Open(found.Path);
            return file is GgufModelFile { Part: not null } ? null : found.Path;
        }
        catch (Exception exception) when (exception is ModelNotFoundException or ModelFormatException)
        {
            LogNotHere(exception.Message);
            return null;
        }
    }

    private async Task<PullResult> PullAsync(WantedBlocks blocks, CancellationToken cancellationToken)
    {
        try
        {
            progress.Text = "asking for it.";
            using ModelPuller puller = new(store.Value, time);
            return await puller.PullAsync(new PullRequest(_model) { Blocks = blocks }, this, cancellationToken).ConfigureAwait(false);
        }
        catch (ModelStoreException exception)
        {
            throw new ModelStoreException($"{exception.Message} Try: {exception.Remedy}", exception.Remedy, exception);
        }
        finally
        {
            progress.Text = null;
            _tenths = 0;
        }
    }

    [LoggerMessage(LogLevel.Information, "{Model} is here whole: {Path}.")]
    private partial void LogWhole(string model, string path);

    [LoggerMessage(LogLevel.Debug, "No whole model is here: {Reason}")]
    private partial void LogNotHere(string reason);

    [LoggerMessage(LogLevel.Information, "{Note}")]
    private partial void LogNote(string note);

    [LoggerMessage(LogLevel.Information, "Pulling {File}: {Percent} % of {Total} bytes.")]
    private partial void LogProgress(string file, int percent, long total);

    [LoggerMessage(LogLevel.Information, "Blocks {Blocks} are here: {Received} bytes came, of a model of {Published}; {Saved} bytes were saved.")]
    private partial void LogPulled(BlockRange blocks, long received, long published, long saved);
}
