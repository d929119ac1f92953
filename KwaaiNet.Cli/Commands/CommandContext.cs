using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Commands;

/// <summary>What every command works with.</summary>
/// <param name="Terminal">Where it writes.</param>
/// <param name="Home">Where it remembers.</param>
/// <param name="Interrupts">When to stop.</param>
/// <param name="Clock">What time it is.</param>
internal sealed record CommandContext(Terminal Terminal, KwaaiNetHome Home, Interrupts Interrupts, TimeProvider Clock);
