// Every network is a dozen processes; two at once would only wait for each other's share of the processor.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
