import ArgumentParser

/// What the option --calculator of several commands does.
enum CalculatorHelp {
  static let text = "Write the values of expressions such as <<48/2= for the model, which goes on behind <<48/2=24>>."
  static let help = ArgumentHelp(text)
}
