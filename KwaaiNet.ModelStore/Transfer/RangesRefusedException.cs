namespace KwaaiNet.ModelStore.Transfer;

/// <summary>The server answered a request for a part with the whole file: it knows no ranges, or the file is another by now.</summary>
internal sealed class RangesRefusedException() : Exception("The server sends whole files only.");
