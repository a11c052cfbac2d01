import Foundation
import MartletCheckpoints
import MartletLayers
import MartletModels
import MartletTensor

/// The settings of new adapters, with the terms of PEFT's `adapter_config.json`.
public struct AdapterSettings: Sendable, Codable, Equatable {
  /// The rank of the adapters.
  public var rank: Int
  /// The numerator of the scale `alpha / rank`.
  public var alpha: Double
  /// The dropout rate of the inputs of the adapters.
  public var dropout: Double
  /// Suffixes of the names of the layers that get an adapter, e.g. `q_proj`; empty for every linear layer except the
  /// head.
  public var targets: [String]

  /// Settings for adapters of one rank.
  public init(rank: Int = 8, alpha: Double = 16, dropout: Double = 0, targets: [String] = []) {
    self.rank = rank
    self.alpha = alpha
    self.dropout = dropout
    self.targets = targets
  }

  /// The settings of an adapter that was loaded into a model, to train it further.
  ///
  /// - Throws: ``TrainingError`` if it changes anything other than low-rank adapters of layers.
  public init(
    continuing adapter: LoadedAdapter, in model: inout some TrainableModel, dropout: Double, path: String
  ) throws {
    guard adapter.isLowRank else {
      throw TrainingError(
        "\(path): it changes more of the model than low-rank matrices, and only those can be trained further; merge it first with `martlet merge`, and train the merged model"
      )
    }
    var found: LowRankAdapter?
    model.visitLinears { _, linear in
      guard var low = linear.wrapper as? LowRankAdapter else { return }
      low.dropoutRate = dropout
      linear.wrapper = low
      found = found ?? low
    }
    guard let found else {
      throw TrainingError("\(path): it contains no low-rank matrix that could be trained further")
    }
    self.init(rank: found.a.rows, alpha: found.scale * Double(found.a.rows), dropout: dropout)
  }

  /// Whether a layer gets an adapter; the head only where it is named.
  private func matches(_ name: String, headName: String) -> Bool {
    targets.isEmpty
      ? name != headName
      : targets.contains { name == $0 || name.hasSuffix("." + $0) }
  }

  /// Adds new adapters to the layers that the settings select.
  /// - Throws: ``TrainingError`` if no layer is selected.
  public func attach(to model: inout some TrainableModel, random: RandomSource) throws {
    var attached = 0
    var names: [String] = []
    let headName = model.description.defaults.headName
    model.visitLinears { name, linear in
      names.append(name)
      guard matches(name, headName: headName) else { return }
      attached += 1
      linear.wrapper = LowRankAdapter(
        inputs: linear.weight.inputs, outputs: linear.weight.outputs, rank: rank, alpha: alpha, dropoutRate: dropout,
        random: random.stream(name))
    }
    if attached == 0 {
      let parts = Set(names.map { String($0.split(separator: ".").last ?? "") }).sorted().joined(separator: ", ")
      throw TrainingError("no layer is called \(targets.joined(separator: " or ")); the model has \(parts)")
    }
  }
}
