using System.Diagnostics;
using System.Reflection;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Commands;

/// <summary>Starts <c>kwaainet up</c> as a process that stays when this one returns, and relays what it says until its network is up.</summary>
internal static class DetachedUp
{
    public static async Task<int> StartAsync(CommandContext context, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(Assembly.GetEntryAssembly()!.Location);
        }

        foreach (string argument in arguments.Append(UpCommand.SuperviseOption))
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<bool> relay = RelayAsync(process.StandardOutput, context.Terminal.Line);
        Task errors = RelayAsync(process.StandardError, text => Console.Error.WriteLine(text));
        await using (cancellationToken.Register(() => Processes.StopSignal.Send(process)))
        {
            if (await relay.ConfigureAwait(false))
            {
                return ExitCode.Success;
            }

            await errors.ConfigureAwait(false);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            return process.ExitCode == ExitCode.Success ? ExitCode.Failure : process.ExitCode;
        }
    }

    /// <summary>Passes lines on until the end mark (true) or the end (false).</summary>
    private static async Task<bool> RelayAsync(StreamReader reader, Action<string> write)
    {
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            if (line == UpSession.EndOfStart)
            {
                return true;
            }

            write(line);
        }

        return false;
    }
}
