using BenchmarkDotNet.Running;
using KwaaiNet.Benchmarks;
using KwaaiNet.Benchmarks.TokenStream;

// dotnet run --project tests/KwaaiNet.Benchmarks -c Release -- --filter '*'
// dotnet run --project tests/KwaaiNet.Benchmarks -c Release -- token-stream
if (args is [TokenStreamBenchmark.Command, ..])
    await TokenStreamBenchmark.RunAsync(args[1..]);
else if (args is [StreamReaders.Command, ..])
    StreamReaders.Run(args[1..]);
else
    BenchmarkSwitcher.FromAssembly(typeof(DecodeBenchmark).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args);
