import ArgumentParser

struct ProbeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe",
    abstract: "Measures how a model learns from examples in its prompt (in-context learning).",
    discussion: """
      Does a model follow exemplars whose labels contradict what it knows? Can it learn labels that mean nothing? These \
      are the questions of Wei et al. (2023), asked with paired contexts, calibration and intervals.

      Example: martlet probe icl SmolLM2-135M-Instruct.Q4_1 --data subj.jsonl.gz --shots 4,16 --html icl.html
      """,
    subcommands: [ProbeInContext.self, ProbeTune.self, ProbeSummary.self])
}
