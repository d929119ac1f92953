using System.CommandLine;
using System.Diagnostics;
using KwaaiNet.Fuzz.Campaigns;
using KwaaiNet.Fuzz.Targets;
using Spectre.Console;

namespace KwaaiNet.Fuzz;

/// <summary>The command line: which readers, how many inputs, or one saved input again.</summary>
internal static class FuzzCommand
{
    private const string All = "all";
    private static readonly TimeSpan s_lineEvery = TimeSpan.FromSeconds(15);

    public static RootCommand Create()
    {
        Option<string> target = new("--target") { Description = "The reader.", DefaultValueFactory = _ => All };
        target.AcceptOnlyFromAmong([All, .. FuzzTargets.Names]);
        Option<long> inputs = new("--inputs") { Description = "How many inputs, over all readers.", DefaultValueFactory = _ => 1_000_000 };
        Option<ulong?> seed = new("--seed") { Description = "The same seed makes the same inputs." };
        Option<double> minutes = new("--minutes") { Description = "Stop after so many minutes.", DefaultValueFactory = _ => 24 * 60 };
        Option<double> limit = new("--input-seconds") { Description = "How long one input may take before it counts as hanging.", DefaultValueFactory = _ => 120 };
        Option<string> output = new("--out") { Description = "The folder for failing inputs.", DefaultValueFactory = _ => "fuzz-failures" };
        Option<FileInfo?> again = new("--input") { Description = "Read this one file instead, with one --target." };
        RootCommand command = new("Damages valid inputs and checks that readers answer with a typed error or none: no crash, no hang, no allocation beyond what the input explains.")
        {
            target, inputs, seed, minutes, limit, output, again,
        };
        command.SetAction(parsed =>
        {
            string[] names = parsed.GetValue(target) == All ? [.. FuzzTargets.Names] : [parsed.GetValue(target)!];
            if (parsed.GetValue(again) is { } file)
                return Repeat(names, file);
            ulong chosen = parsed.GetValue(seed) ?? (ulong)Random.Shared.NextInt64();
            TimeSpan duration = TimeSpan.FromMinutes(parsed.GetValue(minutes));
            return Run(names, parsed.GetValue(inputs), chosen, duration, TimeSpan.FromSeconds(parsed.GetValue(limit)), parsed.GetValue(output)!);
        });
        return command;
    }

    private static int Run(string[] names, long inputs, ulong seed, TimeSpan duration, TimeSpan limit, string output)
    {
        AnsiConsole.WriteLine($"seed {seed}, {inputs:N0} inputs over {string.Join(", ", names)}");
        Directory.CreateDirectory(output);
        string journalPath = Path.Combine(output, "current.bin");
        if (CrashJournal.Unfinished(journalPath) is { } died)
        {
            string path = Save(output, "died", seed, 0, died);
            AnsiConsole.WriteLine($"An earlier run died of an input, kept as {path}. To repeat it: --target NAME --input {path}");
        }

        long start = Stopwatch.GetTimestamp();
        int failures = 0;
        for (int i = 0; i < names.Length; i++)
        {
            using CrashJournal journal = new(journalPath);
            Campaign campaign = new(FuzzTargets.Create(names[i]), seed, journal);
            long share = (inputs / names.Length) + (i < inputs % names.Length ? 1 : 0);
            long campaignStart = Stopwatch.GetTimestamp();
            FuzzFailure? failure = Watch(campaign, seed, share, (duration - Stopwatch.GetElapsedTime(start)) / (names.Length - i), limit);
            TimeSpan taken = Stopwatch.GetElapsedTime(campaignStart);
            AnsiConsole.WriteLine($"{names[i]}: {campaign.Done:N0} inputs in {taken.TotalSeconds:F0} s, {campaign.Ways} ways through the reader, {(failure is null ? "no failure" : "FAILED")}");
            if (failure is null)
                continue;
            failures++;
            journal.End();
            string path = Save(output, names[i], seed, failure.Index, failure.Input);
            AnsiConsole.WriteLine(failure.ToString());
            AnsiConsole.WriteLine($"To repeat it: dotnet run --project tests/KwaaiNet.Fuzz -c Release -- --target {names[i]} --input {path}");
        }

        return failures == 0 ? 0 : 1;
    }

    private static FuzzFailure? Watch(Campaign campaign, ulong seed, long inputs, TimeSpan duration, TimeSpan limit)
    {
        if (duration <= TimeSpan.Zero)
            return null;
        long start = Stopwatch.GetTimestamp();
        if (!AnsiConsole.Profile.Capabilities.Interactive || !AnsiConsole.Profile.Out.IsTerminal)
        {
            TimeSpan next = s_lineEvery;
            return WatchedCampaign.Run(campaign, seed, inputs, heavy: true, duration, limit, running =>
            {
                if (Stopwatch.GetElapsedTime(start) < next)
                    return;
                next += s_lineEvery;
                AnsiConsole.WriteLine(Line(running, inputs, start));
            });
        }

        FuzzFailure? failure = null;
        AnsiConsole.Status().Start(campaign.Target, status =>
            failure = WatchedCampaign.Run(campaign, seed, inputs, heavy: true, duration, limit, running => status.Status(Line(running, inputs, start))));
        return failure;
    }

    private static string Line(Campaign campaign, long inputs, long start) =>
        $"{campaign.Target}: {campaign.Done:N0} of {inputs:N0}, {campaign.Done / Math.Max(0.001, Stopwatch.GetElapsedTime(start).TotalSeconds):N0}/s, {campaign.Ways} ways";

    private static int Repeat(string[] names, FileInfo file)
    {
        if (names.Length != 1)
        {
            AnsiConsole.WriteLine("--input needs the one --target that reads it.");
            return 2;
        }

        string? problem = new Campaign(FuzzTargets.Create(names[0]), 0).Try(File.ReadAllBytes(file.FullName), out string way);
        AnsiConsole.WriteLine(problem ?? $"No rule is broken. {way}");
        return problem is null ? 0 : 1;
    }

    private static string Save(string folder, string name, ulong seed, long index, byte[] input)
    {
        string path = Path.Combine(folder, $"{name}-{seed}-{index}.bin");
        File.WriteAllBytes(path, input);
        return path;
    }
}
