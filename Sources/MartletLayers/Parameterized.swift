import MartletTensor

/// A type with named parameters: a layer, an adapter, a model.
///
/// A type enumerates its parameters in one method. Reading, replacing, counting and differentiating them follow from
/// it:
///
///     struct Scale: Parameterized {
///       var factor: Tensor  // [features]
///       mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
///         body("factor", &factor)
///       }
///     }
///     let (loss, gradients) = scale.valueAndGradient { (x * $0.factor - y).squared.mean() }
///
/// Methods with a predicate over names do not touch the parameters that the predicate rejects, so these are frozen.
public protocol Parameterized {
  /// Calls `body` for every parameter with its name, for reading or replacing, always in the same order.
  mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void)
}

extension Parameterized {
  /// Calls `body` for every parameter of a component of a larger type: names are prefixed by `path` and a dot, unless
  /// `path` is empty.
  public mutating func visitParameters(
    _ path: String, _ body: (_ name: String, _ parameter: inout Tensor) -> Void
  ) {
    visitParameters { body(path.isEmpty ? $0 : path + "." + $0, &$1) }
  }

  /// All parameters with their names, in order.
  public var parameters: [(name: String, value: Tensor)] { parameters { _ in true } }

  /// The parameters whose names `isChosen` accepts, in order.
  public func parameters(where isChosen: (String) -> Bool) -> [(name: String, value: Tensor)] {
    var copy = self
    var list: [(String, Tensor)] = []
    copy.visitParameters { if isChosen($0) { list.append(($0, $1)) } }
    return list
  }

  /// The total number of elements of all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }

  /// Replaces the parameters that `isChosen` accepts, in the order of ``parameters(where:)``. Precondition: there is
  /// one tensor for each of them.
  public mutating func replaceParameters(_ values: [Tensor], where isChosen: (String) -> Bool = { _ in true }) {
    var rest = values[...]
    visitParameters { name, parameter in
      guard isChosen(name) else { return }
      precondition(!rest.isEmpty, "\(values.count) tensors do not suffice for the parameters from \(name) on")
      parameter = rest.removeFirst()
    }
    precondition(rest.isEmpty, "\(rest.count) tensors more than parameters")
  }

  /// A copy with other parameters (see ``replaceParameters(_:where:)``).
  public func replacingParameters(_ values: [Tensor], where isChosen: (String) -> Bool = { _ in true }) -> Self {
    var copy = self
    copy.replaceParameters(values, where: isChosen)
    return copy
  }

  /// Moves the parameters that `isChosen` accepts out of the value, so that their memory is uniquely referenced and an
  /// optimiser can update it in place. ``replaceParameters(_:where:)`` puts them back.
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
  /// ``parameters(where:)``. The others are constants. The tape is released during the backward pass.
  ///
  /// - Parameters:
  ///   - isChosen: whether the parameter of a name is trained.
  ///   - function: a function of this value with variables as parameters; its result is a scalar.
  public func valueAndGradient(
    where isChosen: (String) -> Bool = { _ in true }, of function: (Self) throws -> Tensor
  ) rethrows -> (value: Tensor, gradients: [Tensor]) {
    try MartletTensor.valueAndGradient(at: parameters(where: isChosen).map(\.value)) { variables in
      try function(replacingParameters(variables, where: isChosen))
    }
  }
}

/// Runs a part of a model with gradient checkpointing: only `x` and the parameters of the part are kept for the
/// backward pass, which runs the part again (see `checkpointed(_:_:)`).
public func checkpointed<Part: Parameterized & Sendable>(
  _ x: Tensor, through part: Part, _ run: @escaping @Sendable (Part, Tensor) -> Tensor
) -> Tensor {
  let parameters = part.parameters.map(\.value)
  let constant = part.replacingParameters(parameters.map { $0.detached() })
  return checkpointed([x] + parameters) { run(constant.replacingParameters(Array($0.dropFirst())), $0[0]) }
}
