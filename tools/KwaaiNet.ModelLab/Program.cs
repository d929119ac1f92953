using System.CommandLine;
using KwaaiNet.ModelLab.Commands;

return await new RootCommand("Makes models to test with, and measures how true the engine is to them.")
{
    SynthesizeCommand.Create(),
    Llama2cCommand.Create(),
    QuantizeCommand.Create(),
    DivergenceCommand.Create(),
    AccuracyCommand.Create(),
    LogitsCommand.Create(),
    GreedyCommand.Create(),
    ArchitecturesCommand.Create(),
}.Parse(args).InvokeAsync();
