namespace KwaaiNet.DemoModel.Text;

/// <summary>A question and its answer.</summary>
/// <param name="Question">What the user says.</param>
/// <param name="Answer">What the model says.</param>
/// <param name="FollowUp">Makes an exchange that refers to this one and comes right after it, if there is one to make.</param>
internal sealed record Exchange(string Question, string Answer, Func<Random, Exchange>? FollowUp = null);

/// <summary>A kind of exchange that the generator knows to make.</summary>
internal interface IExchangeSource
{
    Exchange Make(Random random);
}
