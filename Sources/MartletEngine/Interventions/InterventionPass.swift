import MartletLayers
import MartletModels
import MartletTensor
import Synchronization

/// The interventions of one forward pass at one layer. What they do is collected here while the pass runs, and taken from
/// here when it has ended.
package final class InterventionPass: LinearWrapper {
  /// Where an intervention acts in the pass.
  package struct Place: Sendable {
    /// Which of the pass's sequences it belongs to.
    let sequence: Int
    let intervention: Intervention
    /// Rows of the batch.
    let rows: Range<Int>
    /// Where the first of them stands in its text.
    let position: Int

    /// - Parameters: the properties of the same names.
    package init(sequence: Int, intervention: Intervention, rows: Range<Int>, position: Int) {
      self.sequence = sequence
      self.intervention = intervention
      self.rows = rows
      self.position = position
    }
  }

  private let places: [Place]
  /// What wraps the layer already, such as an adapter.
  private let inner: (any LinearWrapper)?
  private let collected = Mutex<[(sequence: Int, effect: Intervention.Effect)]>([])

  init(_ places: [Place], around inner: (any LinearWrapper)?) {
    self.places = places
    self.inner = inner
  }

  /// What the interventions have done, by the sequence they belong to.
  var effects: [(sequence: Int, effect: Intervention.Effect)] { collected.withLock { $0 } }

  package func wrap(_ output: Tensor, input: Tensor) -> Tensor {
    var output = inner?.wrap(output, input: input) ?? output
    for place in places {
      let pass = Intervention.Pass(position: place.position, rows: place.rows, inputs: input, outputs: output)
      guard let effect = place.intervention.act(pass) else { continue }
      if let (rows, values) = effect.replacement {
        precondition(
          rows.lowerBound >= 0 && rows.upperBound <= place.rows.count,
          "an intervention replaces rows \(rows) of \(place.rows.count)")
        output = output.replacingRows(rows.map { place.rows.lowerBound + $0 }, with: values)
      }
      collected.withLock { $0.append((place.sequence, effect)) }
    }
    return output
  }
}

/// A model for one forward pass, wrapped where interventions act in it; the model itself where none does.
package struct IntervenedModel {
  package let model: any LanguageModel
  private let passes: [InterventionPass]

  package init(_ model: any LanguageModel, _ places: [InterventionPass.Place]) {
    // The head receives the last row of each request alone.
    let places = places.filter { $0.intervention.layer != model.description.defaults.headName }
    guard !places.isEmpty, var wrapped = model as? any LayeredModel else {
      self.model = model
      passes = []
      return
    }
    var passes: [InterventionPass] = []
    var layers: [String] = []
    for place in places where !layers.contains(place.intervention.layer) { layers.append(place.intervention.layer) }
    for layer in layers {
      let pass = InterventionPass(
        places.filter { $0.intervention.layer == layer }, around: wrapped.wrapper(of: layer))
      wrapped = wrapped.wrapping(layer, with: pass)
      passes.append(pass)
    }
    self.model = wrapped
    self.passes = passes
  }

  /// What the interventions have done, after the pass.
  package var effects: [(sequence: Int, effect: Intervention.Effect)] { passes.flatMap(\.effects) }
}
