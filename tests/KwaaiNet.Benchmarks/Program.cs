using BenchmarkDotNet.Running;
using KwaaiNet.Benchmarks;

// dotnet run --project tests/KwaaiNet.Benchmarks -c Release -- --filter '*'
BenchmarkSwitcher.FromAssembly(typeof(DecodeBenchmark).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args);
