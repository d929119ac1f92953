using KwaaiNet.DemoModel.Tokens;
using static TorchSharp.torch;

namespace KwaaiNet.DemoModel.Model;

/// <summary>Answers one question with the model in training, without a KV cache: for a look, not for use.</summary>
internal sealed class Sampler(Llama model, BytePairVocabulary vocabulary)
{
    public string Answer(string question, double temperature, int seed)
    {
        using IDisposable noGradient = no_grad();
        Random random = new(seed);
        List<int> ids = [vocabulary.MessageStart];
        vocabulary.Encode("user\n" + question, ids);
        ids.Add(vocabulary.MessageEnd);
        vocabulary.Encode("\n", ids);
        ids.Add(vocabulary.MessageStart);
        vocabulary.Encode("assistant\n", ids);
        int start = ids.Count;
        while (ids.Count < ModelShape.Context)
        {
            int next = Next(ids, temperature, random);
            if (next == vocabulary.MessageEnd || next == vocabulary.EndOfText)
                break;
            ids.Add(next);
        }

        return vocabulary.Decode(ids.Skip(start));
    }

    private int Next(List<int> ids, double temperature, Random random)
    {
        using IDisposable scope = NewDisposeScope();
        Tensor scores = model.Forward(tensor(ids.Select(id => (long)id).ToArray()).unsqueeze(0))[^1];
        if (temperature <= 0)
            return (int)scores.argmax().item<long>();
        float[] probabilities = (scores / temperature).softmax(0).data<float>().ToArray();
        double left = random.NextDouble();
        int choice = 0;
        while (choice < probabilities.Length - 1 && (left -= probabilities[choice]) >= 0)
            choice++;
        return choice;
    }
}
