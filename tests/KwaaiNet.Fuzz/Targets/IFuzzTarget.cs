using KwaaiNet.Fuzz.Mutation;

namespace KwaaiNet.Fuzz.Targets;

/// <summary>A reader of files that people get from anywhere.</summary>
internal interface IFuzzTarget
{
    /// <summary>Its name on the command line.</summary>
    string Name { get; }

    /// <summary>Valid inputs, made here.</summary>
    IReadOnlyList<FuzzSeed> Seeds { get; }

    /// <summary>Words of the format.</summary>
    IReadOnlyList<byte[]> Words { get; }

    /// <summary>Reads one input in stages, each within its limits.</summary>
    void Run(FuzzCase input);
}
