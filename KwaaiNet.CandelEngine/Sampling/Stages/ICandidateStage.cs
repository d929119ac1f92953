namespace KwaaiNet.CandelEngine.Sampling.Stages;

/// <summary>A stage that takes candidates away. At least one that can be drawn stays.</summary>
internal interface ICandidateStage
{
    /// <summary>Filters the candidates; leaves them alone when its parameters are neutral.</summary>
    void Apply(Candidates candidates, SamplingParameters parameters);
}
