using System.Diagnostics;

namespace KwaaiNet.Network.Tests.Harness;

/// <summary>The <c>kwaainet</c> command as a user runs it: a process, arguments, an exit code.</summary>
/// <param name="home">Its <c>KWAAINET_HOME</c>.</param>
/// <param name="environment">Further variables.</param>
internal sealed class CommandLine(string home, params (string Name, string Value)[] environment)
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(3);

    public async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using Process process = Start(arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(s_timeout, TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    public Process Start(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (OperatingSystem.IsWindows())
        {
            start.CreateNewProcessGroup = true;
        }

        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "kwaainet.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["KWAAINET_HOME"] = home;
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
