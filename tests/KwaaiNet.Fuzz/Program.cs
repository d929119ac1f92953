using KwaaiNet.Fuzz;

// dotnet run --project tests/KwaaiNet.Fuzz -c Release -- --inputs 1000000
return FuzzCommand.Create().Parse(args).Invoke();
