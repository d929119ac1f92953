using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

using Interrupts interrupts = new();
CommandContext context = new(Terminal.ForConsole(), KwaaiNetHome.FromEnvironment(), interrupts, TimeProvider.System);
return await KwaaiNetCommand.RunAsync(args, context);
