using System.CommandLine;
using KwaaiNet.DemoModel.Commands;

Option<string> folder = new("--folder") { Description = "Where the steps keep their results.", DefaultValueFactory = _ => Path.Combine("artifacts", "demo-model"), Recursive = true };
Option<int> seed = new("--seed") { Description = "Decides the text, the first weights and the order.", DefaultValueFactory = _ => 1, Recursive = true };
Option<int> conversations = new("--conversations") { Description = "How many conversations to write.", DefaultValueFactory = _ => 10_000 };
Option<double> minutes = new("--minutes") { Description = "How long to train.", DefaultValueFactory = _ => 60 };
Option<bool> resume = new("--resume") { Description = "Go on from the last checkpoint." };
Option<string> output = new("--output") { Description = "The model file to write.", DefaultValueFactory = _ => Path.Combine("models", "kwaai-demo.gguf") };
Option<double> temperature = new("--temperature") { Description = "0 always takes the likeliest token.", DefaultValueFactory = _ => 0 };
Argument<string> prompt = new("prompt") { Description = "What to ask." };

Command text = new("text", "Write some of the training text to a file, to be read.") { conversations };
text.SetAction(result => Steps.WriteText(FolderOf(result), result.GetValue(seed), result.GetValue(conversations)));

Command train = new("train", "Learn the vocabulary, then train. Ctrl-C stops and keeps what was learned.") { minutes, resume };
train.SetAction((result, cancellationToken) => Task.Run(
    () => Steps.Train(FolderOf(result), result.GetValue(seed), result.GetValue(minutes), result.GetValue(resume), cancellationToken), CancellationToken.None));

Command export = new("export", "Write the last checkpoint as a GGUF.") { output };
export.SetAction(result => Steps.Export(FolderOf(result), result.GetValue(output)!));

Command sample = new("sample", "Ask the last checkpoint something.") { prompt, temperature };
sample.SetAction(result => Steps.Sample(FolderOf(result), result.GetValue(prompt)!, result.GetValue(temperature), result.GetValue(seed)));

Command all = new("all", "Everything: text, vocabulary, training, model file.") { conversations, minutes, resume, output };
all.SetAction((result, cancellationToken) => Task.Run(
    () =>
    {
        Steps.WriteText(FolderOf(result), result.GetValue(seed), result.GetValue(conversations));
        Steps.Train(FolderOf(result), result.GetValue(seed), result.GetValue(minutes), result.GetValue(resume), cancellationToken);
        Steps.Export(FolderOf(result), result.GetValue(output)!);
    },
    CancellationToken.None));

RootCommand root = new("Makes kwaai-demo, the model in the repository: its text, its training and its file.") { folder, seed, text, train, export, sample, all };
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });

WorkFolder FolderOf(ParseResult result) => new(result.GetValue(folder)!);
