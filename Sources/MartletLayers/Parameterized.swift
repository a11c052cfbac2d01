import MartletTensor

/// What has parameters by name: a layer, an adapter, a model.
///
/// A type hands over its parameters in one method, and gets reading, replacing, counting and gradients from it:
///
///     struct Scale: Parameterized {
///       var factor: Tensor  // [features]
///       mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
///         body("factor", &factor)
///       }
///     }
///     let (loss, gradients) = scale.valueAndGradient { (x * $0.factor - y).squared.mean() }
///
/// Methods with a predicate over names leave the other parameters alone: what it refuses is frozen.
public protocol Parameterized {
  /// Hands over every parameter by its name, for reading or replacing, always in the same order.
  mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void)
}

extension Parameterized {
  /// Hands over every parameter of a part of something larger: names follow `path` and a dot, unless it is empty.
  public mutating func visitParameters(
    _ path: String, _ body: (_ name: String, _ parameter: inout Tensor) -> Void
  ) {
    visitParameters { body(path.isEmpty ? $0 : path + "." + $0, &$1) }
  }

  /// Every parameter by name, in order.
  public var parameters: [(name: String, value: Tensor)] { parameters { _ in true } }

  /// The parameters whose names `isChosen` accepts, in order.
  public func parameters(where isChosen: (String) -> Bool) -> [(name: String, value: Tensor)] {
    var copy = self
    var list: [(String, Tensor)] = []
    copy.visitParameters { if isChosen($0) { list.append(($0, $1)) } }
    return list
  }

  /// How many numbers all parameters have together.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }

  /// Puts new tensors in the place of the parameters that `isChosen` accepts, in the order of ``parameters(where:)``.
  /// Precondition: one tensor a parameter.
  public mutating func replaceParameters(_ values: [Tensor], where isChosen: (String) -> Bool = { _ in true }) {
    var rest = values[...]
    visitParameters { name, parameter in
      guard isChosen(name) else { return }
      precondition(!rest.isEmpty, "\(values.count) tensors do not suffice for the parameters from \(name) on")
      parameter = rest.removeFirst()
    }
    precondition(rest.isEmpty, "\(rest.count) tensors more than parameters")
  }

  /// The same with other parameters (see ``replaceParameters(_:where:)``).
  public func replacingParameters(_ values: [Tensor], where isChosen: (String) -> Bool = { _ in true }) -> Self {
    var copy = self
    copy.replaceParameters(values, where: isChosen)
    return copy
  }

  /// Takes the parameters that `isChosen` accepts out, so that nobody else holds their memory and an optimiser can write
  /// in place. ``replaceParameters(_:where:)`` puts them back.
  public mutating func takeParameters(where isChosen: (String) -> Bool = { _ in true }) -> [Tensor] {
    var taken: [Tensor] = []
    let empty = Tensor.zeros([0])
    visitParameters { name, parameter in
      guard isChosen(name) else { return }
      taken.append(parameter)
      parameter = empty
    }
    return taken
  }

  /// The value of `function` and its gradients with respect to the parameters that `isChosen` accepts, in the order of
  /// ``parameters(where:)``. The others are constants. The tape is let go while it is walked.
  ///
  /// - Parameters:
  ///   - isChosen: whether the parameter of a name is trained.
  ///   - function: of the same thing with variables for parameters; gives one number.
  public func valueAndGradient(
    where isChosen: (String) -> Bool = { _ in true }, of function: (Self) throws -> Tensor
  ) rethrows -> (value: Tensor, gradients: [Tensor]) {
    try MartletTensor.valueAndGradient(at: parameters(where: isChosen).map(\.value)) { variables in
      try function(replacingParameters(variables, where: isChosen))
    }
  }
}

/// Runs a part of a model with gradient checkpointing: only `x` and the part's parameters are kept, and it runs again when
/// its gradient is asked for (see `checkpointed(_:_:)`).
public func checkpointed<Part: Parameterized & Sendable>(
  _ x: Tensor, through part: Part, _ run: @escaping @Sendable (Part, Tensor) -> Tensor
) -> Tensor {
  let parameters = part.parameters.map(\.value)
  let constant = part.replacingParameters(parameters.map { $0.detached() })
  return checkpointed([x] + parameters) { run(constant.replacingParameters(Array($0.dropFirst())), $0[0]) }
}
