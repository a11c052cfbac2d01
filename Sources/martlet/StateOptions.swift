import ArgumentParser
import Foundation
import MartletEngine
import MartletModels

/// A tuned state that texts begin from.
struct StateOptions: ParsableArguments {
  @Option(
    help: "File of a tuned start state (RWKV's `time_state` in a .pth, .st or .safetensors) that the text begins from.")
  var state: String?

  func start(_ loaded: LoadedModel) throws -> StartState? {
    try state.map { StartState(name: $0, state: try loaded.readState(path: $0)) }
  }
}
