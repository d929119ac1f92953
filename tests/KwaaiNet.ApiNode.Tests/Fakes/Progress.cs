namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>How many things were done, and how many of them by the last thread since another one was at it.</summary>
internal readonly record struct Progress(int Thread, int ByThread, int All)
{
    public Progress On(int thread, int more) => new(thread, thread == Thread ? ByThread + more : more, All + more);
}
