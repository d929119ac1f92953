using System.CommandLine;
using KwaaiNet.Cli.Output;
using KwaaiNet.ModelStore;

namespace KwaaiNet.Cli.Commands;

/// <summary>The <c>kwaainet</c> command and its subcommands.</summary>
internal static class KwaaiNetCommand
{
    /// <summary>Runs a command line and returns the process's exit code.</summary>
    public static Task<int> RunAsync(string[] args, CommandContext context)
    {
        RootCommand root = new("KwaaiNet: large language models served by a network of shard nodes, behind the OpenAI API.")
        {
            UpCommand.Create(context),
            DownCommand.Create(context),
            RestartCommand.Create(context),
            StatusCommand.Create(context),
            LogsCommand.Create(context),
            ModelsCommand.Create(context),
            PullCommand.Create(context),
            ShowCommand.Create(context),
            ImportCommand.Create(context),
            RmCommand.Create(context),
            ChatCommand.Create(context),
            BenchCommand.Create(context),
            DevicesCommand.Create(context),
        };
        // Signals are ours (Interrupts): the library would end the process two seconds after one, with nodes still stopping.
        return root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    /// <summary>Gives a command work that only reads files. Opening one cannot be cancelled: at a signal the work is left where it stands.</summary>
    public static void SetReading(this Command command, CommandContext context, Func<ParseResult, CancellationToken, int> work) =>
        command.SetWork(context, (parsed, cancellationToken) => Task.Run(() => work(parsed, cancellationToken), CancellationToken.None).WaitAsync(cancellationToken));

    /// <summary>Gives a command its work, and turns its failures into a message, a remedy and an exit code.</summary>
    public static void SetWork(this Command command, CommandContext context, Func<ParseResult, CancellationToken, Task<int>> work) =>
        command.SetAction(async (parsed, _) =>
        {
            try
            {
                return await work(parsed, context.Interrupts.Stop).ConfigureAwait(false);
            }
            catch (CommandFailure failure)
            {
                context.Terminal.Error(failure.Message, failure.Remedy);
                return failure.ExitCode;
            }
            catch (ModelStoreException failure)
            {
                context.Terminal.Error(failure.Message, failure.Remedy);
                return ExitCode.Failure;
            }
            catch (UnauthorizedAccessException exception)
            {
                context.Terminal.Error(exception.Message, $"make {context.Home.Folder} writable, or name another folder in KWAAINET_HOME.");
                return ExitCode.Failure;
            }
            catch (IOException) when (context.Interrupts.Stop.IsCancellationRequested)
            {
                // The terminal was closed, and with it what this was written to.
                return ExitCode.Interrupted;
            }
            catch (IOException exception)
            {
                // KWAAINET_HOME is a file, its disk is full or gone: a stack would say no more.
                context.Terminal.Error(exception.Message, $"check {context.Home.Folder} and its disk, or name another folder in KWAAINET_HOME.");
                return ExitCode.Failure;
            }
            catch (OperationCanceledException) when (context.Interrupts.Stop.IsCancellationRequested)
            {
                return ExitCode.Interrupted;
            }
        });
}
