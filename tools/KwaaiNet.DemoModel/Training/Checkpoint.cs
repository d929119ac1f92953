using System.Runtime.InteropServices;
using KwaaiNet.DemoModel.Model;
using static TorchSharp.torch;

namespace KwaaiNet.DemoModel.Training;

/// <summary>Where a training run stands.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="Conversation">The first conversation not yet used.</param>
/// <param name="Seconds">Time spent training.</param>
internal readonly record struct RunState(long Step, long Tokens, long Conversation, double Seconds);

/// <summary>A training run on disk: where it stands, then every tensor as name, length and float32 values.</summary>
internal static class Checkpoint
{
    /// <summary>Writes beside the old checkpoint and then takes its place, so that a kill at any moment leaves a whole one.</summary>
    public static void Save(string path, RunState state, Llama model, Optimizer optimizer)
    {
        string beside = path + ".new";
        using (BinaryWriter writer = new(File.Create(beside)))
        {
            writer.Write(state.Step);
            writer.Write(state.Tokens);
            writer.Write(state.Conversation);
            writer.Write(state.Seconds);
            writer.Write(model.Weights.Count + optimizer.State.Count);
            foreach ((string name, Tensor tensor) in model.Weights.Concat(optimizer.State))
            {
                float[] values = tensor.detach().data<float>().ToArray();
                writer.Write(name);
                writer.Write(values.Length);
                writer.Write(MemoryMarshal.AsBytes(values.AsSpan()));
            }
        }

        File.Move(beside, path, overwrite: true);
    }

    /// <summary>Fills the model, and the optimizer if there is one, from a checkpoint.</summary>
    public static RunState Load(string path, Llama model, Optimizer? optimizer = null)
    {
        using IDisposable noGradient = no_grad();
        using BinaryReader reader = new(File.OpenRead(path));
        RunState state = new(reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadDouble());
        for (int left = reader.ReadInt32(); left > 0; left--)
        {
            string name = reader.ReadString();
            float[] values = new float[reader.ReadInt32()];
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            if (model.Weights.TryGetValue(name, out Tensor? target) || (optimizer?.State.TryGetValue(name, out target) ?? false))
            {
                using Tensor source = tensor(values).reshape(target!.shape);
                target.copy_(source);
            }
        }

        return state;
    }
}
