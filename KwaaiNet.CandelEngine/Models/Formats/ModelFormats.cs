using KwaaiNet.CandelEngine.Safetensors;

namespace KwaaiNet.CandelEngine.Models.Formats;

/// <summary>The formats a model's file may have, chosen by what a path names.</summary>
public static class ModelFormats
{
    extension(ModelFile)
    {
        /// <summary>Opens a model file of any supported format.</summary>
        /// <param name="path">A <c>.gguf</c> file; or a folder of <c>config.json</c> and <c>.safetensors</c> files, one of these files, or their index.</param>
        /// <exception cref="FileNotFoundException">There is no such file.</exception>
        /// <exception cref="Files.ModelFormatException">The file is not a model, is truncated, or lies about itself.</exception>
        public static ModelFile Open(string path)
        {
            ArgumentException.ThrowIfNullOrEmpty(path);
            return ModelFolder.Names(path) ? SafetensorsModelFile.Open(path) : GgufModelFile.Open(path);
        }
    }
}
