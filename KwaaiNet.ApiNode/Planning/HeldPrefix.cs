using System.Collections.Immutable;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>The beginning of a prompt, as a chain holds it in its KV cache, or held it last.</summary>
/// <param name="Hops">The chain: only these nodes as they run now, with these very blocks, have it.</param>
/// <param name="Positions">Tokens that need not be computed there.</param>
internal sealed record HeldPrefix(ImmutableArray<ChainHop> Hops, int Positions);
