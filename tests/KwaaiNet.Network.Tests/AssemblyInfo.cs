// Every test starts processes of its own; two networks at once would only wait for each other's share of the processor.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
