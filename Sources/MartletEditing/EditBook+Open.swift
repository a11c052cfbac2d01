import Foundation
import MartletEngine
import MartletLayers
import MartletModels
import MartletTensor

extension EditBook {
  /// Opens the edits of a store for a model. A new store is bound to the model, the layer and the format with its first
  /// edit.
  ///
  /// - Parameters:
  ///   - loaded: the model that is edited.
  ///   - store: the file of its edits.
  ///   - site: the site of the edits; nil uses that of the store, or the default for a new store.
  ///   - initialRadius: the radius of new keys, for rules other than the default.
  /// - Throws: ``EditError`` if the store belongs to another model, layer, format or set of kernels.
  public static func open(
    _ loaded: LoadedModel, store: EditStore, site: EditSite? = nil, initialRadius: Float = 1
  ) throws -> EditBook {
    let model = try loaded.editable
    if let (binding, calibration) = try store.binding() {
      try binding.check(model, wanted: site, store: store)
      let linear = try linear(of: model, binding.site)
      let version = try store.version()
      let snapshot = try EditSnapshot.load(
        store, site: binding.site, calibration: calibration, widths: (linear.inputs, linear.outputs))
      return try EditBook(loaded, site: binding.site, snapshot: snapshot, version: version, binding: nil)
    }
    let site = site ?? EditSite(model)
    let linear = try linear(of: model, site)
    var calibration = try calibrate(CalibrationQuestions.standard, loaded: loaded, model: model, layer: site.layer)
    if site.rules != .nearest { calibration.radius = initialRadius }
    let snapshot = EditSnapshot(
      keyWidth: linear.inputs, valueWidth: linear.outputs, calibration: calibration,
      codebook: site.rules == .nearest ? nil : Codebook(rules: site.rules, initialRadius: initialRadius))
    let binding = EditStore.Binding(
      model: model.description.fingerprint, architecture: model.description.architecture, site: site,
      keyByteCount: snapshot.keys.rowByteCount, valueByteCount: snapshot.values.rowByteCount,
      kernels: Kernels.current, weightFormat: linear.format.rawValue, sample: model.numericSample)
    return try EditBook(loaded, site: site, snapshot: snapshot, version: try store.version(), binding: binding)
  }

  private static func linear(of model: any TrainableModel, _ site: EditSite) throws -> Linear.Weight {
    guard let linear = model.linear(named: site.layer) else {
      throw EditError(
        "the model has no layer \(site.layer); its layers have names like \(model.linearNames.dropLast().last ?? "?")")
    }
    return linear.weight
  }

  /// Recalibrates a store and recomputes all its keys in one transaction. Values are not trained again.
  ///
  /// - Parameters:
  ///   - loaded: the model of the store.
  ///   - store: the file of its edits.
  ///   - questions: unrelated questions; nil uses the built-in ones.
  ///   - share: the share of pairs of them that may lie within the radius.
  /// - Throws: ``EditError`` if the store belongs to another model.
  public static func recalibrate(
    _ loaded: LoadedModel, store: EditStore, questions: [String]? = nil, share: Double? = nil
  ) throws -> (before: Float, after: Float, keys: Int) {
    let model = try loaded.editable
    guard let (binding, old) = try store.binding() else {
      throw EditError("\(store.path) contains no edits yet, so there is nothing to calibrate")
    }
    var anew = binding
    anew.kernels = Kernels.current
    try anew.check(model, wanted: nil, store: store)
    let site = binding.site
    var calibration = try calibrate(
      questions ?? CalibrationQuestions.standard, loaded: loaded, model: model, layer: site.layer,
      share: share ?? KeyCalibration.unrelatedShare)
    if site.rules != .nearest { calibration.radius = old.radius }
    let element: VectorTable.Element = site.rules == .nearest ? .int8 : .float16
    let table = VectorTable(width: calibration.mean.count, element: element)
    var keys: [EditKey] = []
    try store.forEach { stored in
      for var key in stored.keys {
        let format = site.rules == .nearest ? PromptFormat.question : site.format
        let vector = try model.key(format.encode(key.prompt, for: loaded), layer: site.layer)
        key.vector = Data(table.encoded(site.rules == .nearest ? calibration.direction(vector) : vector))
        keys.append(key)
      }
    }
    try store.bind(anew, calibration: calibration, keys: keys)
    return (old.radius, calibration.radius, keys.count)
  }

  /// Measures keys of unrelated questions.
  static func calibrate(
    _ questions: [String], loaded: LoadedModel, model: any TrainableModel, layer: String,
    share: Double = KeyCalibration.unrelatedShare
  ) throws -> KeyCalibration {
    guard questions.count >= 8 else {
      throw EditError("\(questions.count) questions are too few for the calibration; give at least 8, better 100")
    }
    return KeyCalibration(
      keys: try questions.map { question in
        let tokens = PromptFormat.question(question, for: loaded)
        // A tokenizer of another model has tokens that this one does not know.
        try model.check(tokens: tokens)
        return model.key(tokens, layer: layer)
      }, share: share)
  }
}

extension EditStore.Binding {
  /// - Throws: ``EditError`` when edits made for this would not hold for the model.
  func check(_ model: any TrainableModel, wanted: EditSite?, store: EditStore) throws {
    let description = model.description
    guard self.model == description.fingerprint else {
      throw EditError("\(store.path) contains edits \(difference(model)), or give another file with --edits")
    }
    if let wanted, wanted.layer != site.layer || wanted.format != site.format || wanted.rules != site.rules {
      throw EditError(
        "\(store.path) contains edits of layer \(site.layer), format \(site.format.rawValue), rules \(site.rules.rawValue); leave these options out, or give another file with --edits"
      )
    }
    guard kernels == Kernels.current else {
      throw EditError(
        "\(store.path) contains keys computed with \(kernels) kernels, but this machine uses \(Kernels.current); compute them again with `martlet edit calibrate`, or set MARTLET_SIMD=\(kernels)"
      )
    }
  }

  /// What of a model is not what the edits were made for, and what to do.
  private func difference(_ model: any TrainableModel) -> String {
    let description = model.description
    guard architecture == description.architecture else {
      return
        "of another model (\(architecture), not \(description.architecture)); load the model for which they were made"
    }
    if description.hasAdapter {
      return
        "made for the model without this adapter or with another one, so they do not apply; leave --adapter out or give the one that they were made with, or make edits of this adapted model with `martlet edit add --adapter … --edits FILE`"
    }
    guard let weightFormat, !weightFormat.isEmpty, let sample, !sample.isEmpty else {
      return
        "of another model or weight format (also \(architecture)); load the file for which they were made, with the same --format"
    }
    let own = model.numericSample
    let isSame = own.count == sample.count && zip(own, sample).allSatisfy { abs($0 - $1) <= 0.01 * (abs($1) + 0.01) }
    guard isSame else { return "of another \(architecture) model; load the model for which they were made" }
    let format = model.linear(named: site.layer)?.weight.format.rawValue ?? "another format"
    return weightFormat == format
      ? "made with another file of this model, whose weights are not exactly the same (both are \(format)), or with an adapter; load the file for which they were made, with its --adapter if it had one"
      : "made with weights in \(weightFormat), but the weights of this model are in \(format): an edit applies to one weight format; load the model in \(weightFormat) (the file for which they were made, or --format \(weightFormat))"
  }
}

extension TrainableModel {
  /// Some numbers of the last norm, which weight formats leave as they are: they tell models apart, not formats.
  var numericSample: [Float] {
    guard let norm = parameters.last(where: { $0.value.shape == [description.width] })?.value else { return [] }
    return stride(from: 0, to: norm.count, by: max(1, norm.count / 16)).map { norm.values[$0] }
  }
}
