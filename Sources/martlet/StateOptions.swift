import ArgumentParser
import Foundation
import MartletEngine
import MartletModels

/// A tuned state that texts begin from.
struct StateOptions: ParsableArguments {
  @Option(
    help:
      "File with a tuned initial state (RWKV's `time_state` in a .pth, .st or .safetensors) from which the text starts."
  )
  var state: String?

  func start(_ loaded: LoadedModel) throws -> StartState? {
    try state.map { StartState(name: $0, state: try loaded.readState(path: $0)) }
  }
}
