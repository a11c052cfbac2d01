import ArgumentParser
import MartletSensing

struct SenseVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compares training steps of deep compressed sensing and CS-GAN with reference values of a file.",
    discussion: """
      FILE has the form of dcs_csgan_fixtures_f64.json: parameters, signals, start vectors, and the latent path, losses, \
      gradients (exact, without the steps' own gradient, and split) and parameters after ten steps of Adam that another program \
      has computed. The steps are those of `martlet sense train` and `gan`, in double precision. The error of a quantity is the \
      largest difference over the largest reference value.

      Example: martlet sense verify dcs_csgan_fixtures_f64.json
      """)

  @Argument(help: "File of reference values.") var file: String
  @Option(help: "Largest relative error that passes; a larger one ends the command with exit code 1.")
  var tolerance = 1e-9
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard tolerance >= 0 else { throw ValidationError("--tolerance must be 0 or more") }
  }

  func run() throws {
    let verification = try SensingVerification(file)
    if json {
      try Terminal.printJSON([
        "quantities": Dictionary(uniqueKeysWithValues: verification.errors.map { ($0.quantity, Self.value($0.error)) }),
        "worst": Self.value(verification.worst), "tolerance": tolerance, "passed": verification.worst <= tolerance,
      ])
    } else {
      for (quantity, error) in verification.errors { print("\(quantity): \(error)") }
      print("largest relative error \(verification.worst): \(verification.worst <= tolerance ? "passed" : "failed")")
    }
    if !(verification.worst <= tolerance) { throw ExitCode.failure }
  }

  /// JSON has no word for what is no number.
  private static func value(_ error: Double) -> Any { error.isFinite ? error : "\(error)" }
}
