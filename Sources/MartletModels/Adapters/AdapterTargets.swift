import MartletData
import MartletTokenizers

/// Which modules an `adapter_config.json` gives adapters: `target_modules`, `exclude_modules`, `modules_to_save`,
/// `layers_to_transform` and `layers_pattern`, as PEFT combines them.
struct AdapterTargets {
  private enum Choice {
    /// Nothing is said: what the file holds.
    case unsaid
    case everyLinearLayer
    case names([String])
    case pattern(NamePattern)
  }
  private enum Exclusion {
    case names([String])
    case pattern(NamePattern)
  }
  private let choice: Choice
  private let excluded: Exclusion
  private let replaced: [NamePattern]
  private let layers: Set<Int>?
  private let layerLists: [String]

  init(_ object: JSONObject, modulesToSave: [String], _ fail: (String) -> ModelError) throws {
    func value(_ key: String) -> JSONValue? { object.present(key) }
    func pattern(_ text: String, _ key: String) throws -> NamePattern {
      do { return try NamePattern(text) } catch {
        throw fail("\(key) contains the expression \(text), which is not supported: \(error.problem)")
      }
    }
    switch value("target_modules") {
    case nil: choice = .unsaid
    case .string("all-linear")?: choice = .everyLinearLayer
    case .string(let text)?: choice = .pattern(try pattern(text, "target_modules"))
    case let list?: choice = .names(try AdapterConfiguration.names(list, "target_modules", fail))
    }
    switch value("exclude_modules") {
    case nil: excluded = .names([])
    case .string(let text)?: excluded = .pattern(try pattern(text, "exclude_modules"))
    case let list?: excluded = .names(try AdapterConfiguration.names(list, "exclude_modules", fail))
    }
    replaced = try modulesToSave.map { try pattern("(?:.*\\.)?(?:\($0))(?:\\..*)?", "modules_to_save") }
    switch value("layers_to_transform") {
    case nil: layers = nil
    case let list?:
      let numbers = list.array ?? [list]
      let indices = numbers.compactMap(\.integer)
      guard indices.count == numbers.count else { throw fail("layers_to_transform must be a list of layer numbers") }
      layers = indices.isEmpty ? nil : Set(indices)
    }
    layerLists = try value("layers_pattern").map { try AdapterConfiguration.names($0, "layers_pattern", fail) } ?? []
    if layers != nil, case .pattern = choice {
      throw fail("layers_to_transform cannot be combined with an expression as target_modules")
    }
  }

  /// Whether anything is said.
  var isSaid: Bool { if case .unsaid = choice { false } else { true } }
  /// Whether all linear layers, but the head, are meant.
  var isLinear: Bool { if case .everyLinearLayer = choice { true } else { false } }

  /// Which key keeps a module from having an adapter; nil where it has one.
  func exclusion(of module: String, isHead: Bool) -> String? {
    func isNamed(_ names: [String]) -> Bool { names.contains { module == $0 || module.hasSuffix("." + $0) } }
    switch excluded {
    case .names(let names): if isNamed(names) { return "exclude_modules" }
    case .pattern(let pattern): if pattern.matches(module) { return "exclude_modules" }
    }
    if replaced.contains(where: { $0.matches(module) }) { return "modules_to_save" }
    switch choice {
    case .unsaid: return nil
    case .everyLinearLayer: return isHead ? "target_modules" : nil
    case .pattern(let pattern): return pattern.matches(module) ? nil : "target_modules"
    case .names(let names):
      guard isNamed(names) else { return "target_modules" }
      guard let layers else { return nil }
      return layerNumber(module).map(layers.contains) == true ? nil : "layers_to_transform"
    }
  }

  /// The number of the layer that a module lies in: the first number behind a name and one of the lists of layers.
  private func layerNumber(_ module: String) -> Int? {
    let parts = module.split(separator: ".", omittingEmptySubsequences: false)
    for (place, part) in parts.enumerated().dropLast() {
      guard let number = Int(part), part.allSatisfy(\.isNumber) else { continue }
      if layerLists.isEmpty { if place >= 2 { return number } else { continue } }
      let before = "." + parts[..<place].joined(separator: ".")
      if layerLists.contains(where: { before.hasSuffix("." + $0) }) { return number }
    }
    return nil
  }
}
