/// The gradients of `y` with respect to variables or to any other tensors that `y` was computed from.
///
/// Gradients are returned and not accumulated in the variables. `y` can be differentiated again.
///
/// - Parameters:
///   - y: the tensor that is differentiated.
///   - variables: tensors that `y` was computed from.
///   - upstream: the gradient of some final scalar with respect to `y`, of the shape of `y`; the default is 1, for
///     which `y` must be a scalar.
///   - createGraph: whether the gradients are recorded as well, so that they can be differentiated.
/// - Returns: one tensor for each variable, with its shape; zeros if `y` does not depend on the variable.
/// - Complexity: O(operations between the variables and `y`).
public func gradients(
  of y: Tensor, withRespectTo variables: [Tensor], upstream: Tensor? = nil, createGraph: Bool = false
) -> [Tensor] {
  pullBack(y, to: variables, upstream: upstream, createGraph: createGraph, throughVariables: true, releasing: nil)
}

/// The value of `function` at `variables` and its gradients there. The tape is released during the backward pass.
public func valueAndGradient(
  at variables: [Tensor], of function: ([Tensor]) throws -> Tensor
) rethrows -> (value: Tensor, gradients: [Tensor]) {
  let first = TapeNode.nextIndex
  let variables = variables.map { $0.variable() }
  let value = try function(variables)
  let result = pullBack(
    value, to: variables, upstream: nil, createGraph: false, throughVariables: false, releasing: first)
  return (value.detached(), result)
}

/// Runs `block` with gradient checkpointing (Chen et al., 2016): only `inputs` are kept for the backward pass, which
/// runs the block again. This saves memory at the price of time.
///
/// - Parameters:
///   - inputs: the tensors that are kept.
///   - block: a function of `inputs` alone; captured tensors are treated as constants.
public func checkpointed(_ inputs: [Tensor], _ block: @escaping @Sendable ([Tensor]) -> Tensor) -> Tensor {
  block(inputs.map { $0.detached() }).recorded(from: inputs, saving: inputs) { context in
    vectorJacobianProduct(block, context)
  }
}

/// Gradients through `function`, evaluated anew at the saved tensors.
func vectorJacobianProduct(_ function: ([Tensor]) -> Tensor, _ context: PullbackContext) -> [Tensor?] {
  let first = TapeNode.nextIndex
  // A use of their own: in a second derivative the saved tensors may depend on each other outside.
  let inputs = zip(context.saved, context.needs).map { input, needed in
    !needed ? input.detached() : input.isRecorded ? input.tapped() : input.variable()
  }
  let wanted = inputs.indices.filter { context.needs[$0] }
  let found = pullBack(
    function(inputs), to: wanted.map { inputs[$0] }, upstream: context.gradient,
    createGraph: context.isDifferentiable, throughVariables: false,
    releasing: context.isDifferentiable ? nil : first)
  var result = [Tensor?](repeating: nil, count: inputs.count)
  for (place, gradient) in zip(wanted, found) { result[place] = gradient }
  return result
}

/// - Parameters:
///   - throughVariables: whether gradients flow on through one variable to others that it was made from.
///   - releasing: nodes made from this index on forget what they saved once they are done.
private func pullBack(
  _ y: Tensor, to variables: [Tensor], upstream: Tensor?, createGraph: Bool, throughVariables: Bool, releasing: Int?
) -> [Tensor] {
  precondition(upstream != nil || y.count == 1, "the gradient of shape \(y.shape) needs an upstream gradient")
  precondition(upstream.map { $0.shape == y.shape } ?? true, "upstream \(upstream?.shape ?? []) of \(y.shape)")
  let targets = Set(
    variables.map { variable in
      guard let node = variable.node else {
        let cure = "make it a variable() before it is used"
        preconditionFailure("a gradient with respect to a constant; \(cure)")  // safe: ours
      }
      return ObjectIdentifier(node)
    })
  var sums: [ObjectIdentifier: Tensor] = [:]
  if let root = y.node {
    sums[ObjectIdentifier(root)] = upstream ?? .ones(y.shape, dtype: y.dtype)
    let order = nodesBetween(root, targets, throughVariables: throughVariables)
    for node in order.nodes.reversed() {
      let id = ObjectIdentifier(node)
      let isTarget = targets.contains(id)
      guard let gradient = sums[id], !isTarget || throughVariables else { continue }
      if !isTarget { sums[id] = nil }
      let parents = node.parents
      let needs = parents.map { $0.map { order.leading.contains(ObjectIdentifier($0)) } ?? false }
      if needs.contains(true) {
        let flowing = node.pull(
          createGraph ? gradient : gradient.detached(), needs: needs, isDifferentiable: createGraph)
        for (place, part) in flowing.enumerated() where needs[place] {
          guard let parent = parents[place], let part else { continue }
          precondition(part.shape == parent.shape, "a gradient of shape \(part.shape) for \(parent.shape)")
          let key = ObjectIdentifier(parent)
          sums[key] = sums[key].map { $0 + part } ?? part
        }
      }
      if let releasing, node.index >= releasing, !isTarget { node.release() }
    }
  }
  return variables.map { variable in
    variable.node.flatMap { sums[ObjectIdentifier($0)] } ?? .zeros(variable.shape, dtype: variable.dtype)
  }
}

/// The nodes on the way from `root` to `targets`, oldest first, and which of them lead to a target.
private func nodesBetween(
  _ root: TapeNode, _ targets: Set<ObjectIdentifier>, throughVariables: Bool
) -> (nodes: [TapeNode], leading: Set<ObjectIdentifier>) {
  var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
  var pending = [root], nodes: [TapeNode] = []
  while let node = pending.popLast() {
    nodes.append(node)
    if !throughVariables, targets.contains(ObjectIdentifier(node)) { continue }
    for case let parent? in node.parents where seen.insert(ObjectIdentifier(parent)).inserted {
      pending.append(parent)
    }
  }
  nodes.sort { $0.index < $1.index }
  var leading: Set<ObjectIdentifier> = []
  for node in nodes {
    let id = ObjectIdentifier(node)
    let parents = throughVariables || !targets.contains(id) ? node.parents : []
    if targets.contains(id) || parents.contains(where: { $0.map { leading.contains(ObjectIdentifier($0)) } ?? false }) {
      leading.insert(id)
    }
  }
  return (nodes.filter { leading.contains(ObjectIdentifier($0)) }, leading)
}

/// An operation with its own kernels in single precision, forward and backward. In double precision, and where its
/// gradient must itself be differentiated, it runs as `composed`: the same function, made of primitives.
///
/// `composed` and `pullback` see exactly `inputs`; the pullback's last saved tensor is the result if `savesOutput`.
func fused(
  _ inputs: [Tensor], savesOutput: Bool = false, composed: @escaping @Sendable ([Tensor]) -> Tensor,
  pullback: @escaping TapeNode.Pullback, forward: () -> Tensor
) -> Tensor {
  if inputs.contains(where: { $0.dtype == .float64 }) { return composed(inputs) }
  return forward().recorded(from: inputs, saving: inputs, savesOutput: savesOutput) { context in
    guard context.isDifferentiable else { return pullback(context) }
    let arguments = PullbackContext(
      saved: Array(context.saved.prefix(inputs.count)), gradient: context.gradient, needs: context.needs,
      isDifferentiable: true)
    return vectorJacobianProduct(composed, arguments)
  }
}
