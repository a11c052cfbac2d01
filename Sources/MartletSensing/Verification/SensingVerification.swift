import MartletData
import MartletLayers
import MartletOptimization
import MartletTensor

/// Compares the training steps of this library, in double precision, with reference values of a file.
///
/// The error of a quantity is the largest absolute difference over the largest absolute reference value; of several tensors, such as the
/// gradients of all parameters, the largest of these.
public struct SensingVerification: Sendable {
  /// The relative error of each quantity, in the order in which they were computed.
  public private(set) var errors: [(quantity: String, error: Double)] = []
  /// The largest of them.
  public var worst: Double { errors.reduce(0) { $1.error.isNaN ? .nan : max($0, $1.error) } }

  /// Verifies a file of the form of `dcs_csgan_fixtures_f64.json`.
  /// - Throws: `FileError` that names the file, the line and the cure.
  public init(_ path: String) throws {
    let fixture = try SensingFixture(path)
    if let node = fixture.compressedSensing { try verifyCompressedSensing(node) }
    if let node = fixture.adversarial { try verifyAdversarial(node) }
  }

  private mutating func add(_ quantity: String, _ pairs: [(value: Tensor, reference: Tensor)]) {
    errors.append(
      (quantity, pairs.map { Self.relativeError($0.value, $0.reference) }.reduce(0) { $1.isNaN ? .nan : max($0, $1) }))
  }

  private static func relativeError(_ value: Tensor, _ reference: Tensor) -> Double {
    let (value, reference) = (value.doubleValues, reference.doubleValues)
    let scale = reference.reduce(0) { max($0, $1.magnitude) }
    let difference = zip(value, reference).reduce(0) { ($1.0 - $1.1).isNaN ? .nan : max($0, ($1.0 - $1.1).magnitude) }
    return scale > 0 ? difference / scale : difference
  }

  // MARK: Deep compressed sensing

  private mutating func verifyCompressedSensing(_ node: JSONNode) throws {
    let dims = try node.required("dims")
    let (latents, hidden, signal) = (try dims.size("K"), try dims.size("H"), try dims.size("N"))
    let (measurements, batch, steps) = (
      try dims.size("M"), try dims.size("B"), try dims.required("T").integer(0...1000)
    )
    let slope = try dims.required("leaky_slope").number(0...1)
    let shapes = [
      ("W1", [latents, hidden]), ("b1", [hidden]), ("W2", [hidden, hidden]), ("b2", [hidden]),
      ("W3", [hidden, signal]),
      ("b3", [signal]), ("F", [signal, measurements]), ("logstep", []),
    ]
    func tensors(_ node: JSONNode, where isChosen: (String) -> Bool = { _ in true }) throws -> [Tensor] {
      try shapes.filter { isChosen($0.0) }.map { try node.required($0.0).tensor($0.1) }
    }
    let parameters = try tensors(try node.required("params"))
    func model(isExact: Bool) -> DeepCompressedSensing {
      let layers = [0, 2, 4].map { MultilayerPerceptron.Layer(weight: parameters[$0], bias: parameters[$0 + 1]) }
      return DeepCompressedSensing(
        generator: MultilayerPerceptron(layers: layers, slope: slope, output: .tanh),
        measurement: MeasurementFunction(matrix: parameters[6], isLearnt: true), logStep: parameters[7],
        optimization: LatentOptimization(steps: steps, isExact: isExact))
    }
    let rate = node.optional("adam")
    func optimizer() throws -> Optimizer {
      guard let rate else { return Optimizer(.adam(learningRate: 0)) }
      let betas = try rate.required("betas").tensor([2]).doubleValues
      return Optimizer(
        OptimizerSettings(
          method: .adam, learningRate: try rate.required("lr").number(0...1000), beta1: betas[0], beta2: betas[1],
          epsilon: try rate.required("eps").number(0...1), clip: nil))
    }
    let count = try node.required("x").elements.count
    let signals = try node.required("x").tensor([count, batch, signal])
    let starts = try node.required("z0").tensor([count, batch, latents])
    func batchNumber(_ number: Int) -> (Tensor, Tensor) {
      (
        signals.rows(number..<number + 1).reshaped([batch, signal]),
        starts.rows(number..<number + 1).reshaped([batch, latents])
      )
    }
    guard count > 0 else { throw try node.required("x").failure("`dcs.x` is empty; give the signals of a step") }
    let reference = try node.required("step0")
    let (x, z) = batchNumber(0)
    let step = DeepCompressedSensingTrainer(model(isExact: true), optimizer: try optimizer()).differentiate(x, from: z)
    add(
      "z_path",
      [(stacked(step.reconstruction.path), try reference.required("z_path").tensor([steps + 1, batch, latents]))])
    add("recon", [(step.reconstruction.signals, try reference.required("recon").tensor([batch, signal]))])
    add("loss_G", [(Tensor(step.generatorLoss, dtype: .float64), try reference.required("loss_G").tensor([]))])
    add("loss_F", [(Tensor(step.isometryLoss, dtype: .float64), try reference.required("loss_F").tensor([]))])
    add("grad_total", Array(zip(step.gradients, try tensors(try reference.required("grad_total")))))
    if let stopped = reference.optional("grad_total_stop_gradient") {
      let step = DeepCompressedSensingTrainer(model(isExact: false), optimizer: try optimizer()).differentiate(
        x, from: z)
      add("grad_total_stop_gradient", Array(zip(step.gradients, try tensors(stopped))))
    }
    if let split = reference.optional("grad_split") {
      let step = DeepCompressedSensingTrainer(model(isExact: true), objective: .split, optimizer: try optimizer())
        .differentiate(x, from: z)
      let theta = try tensors(try split.required("theta")) { $0 != "F" }
      let matrix = try split.required("F").tensor([signal, measurements])
      add("grad_split", Array(zip(step.gradients, theta[..<6] + [matrix] + theta[6...])))
    }
    guard let adam = rate else { return }
    var trainer = DeepCompressedSensingTrainer(model(isExact: true), optimizer: try optimizer())
    var losses: [Double] = []
    for number in 0..<count {
      let (x, z) = batchNumber(number)
      let step = trainer.train(x, from: z)
      losses += [step.generatorLoss, step.isometryLoss]
    }
    add("adam_losses", [(Tensor(doubles: losses), try adam.required("losses_G_F").tensor([count, 2]))])
    add(
      "adam_final_params",
      Array(zip(trainer.model.parameters.map(\.value), try tensors(try adam.required("final_params")))))
  }

  // MARK: CS-GAN

  private mutating func verifyAdversarial(_ node: JSONNode) throws {
    let dims = try node.required("dims")
    let (latents, hidden, signal) = (try dims.size("K"), try dims.size("H"), try dims.size("N"))
    let (batch, steps) = (try dims.size("B"), try dims.required("T").integer(0...1000))
    let shapes = [
      ("gW1", [latents, hidden]), ("gb1", [hidden]), ("gW2", [hidden, signal]), ("gb2", [signal]),
      ("dW1", [signal, hidden]), ("db1", [hidden]), ("dW2", [hidden, 2]), ("db2", [2]), ("logstep", []),
    ]
    func tensors(_ node: JSONNode, where isChosen: (String) -> Bool = { _ in true }) throws -> [Tensor] {
      try shapes.filter { isChosen($0.0) }.map { try node.required($0.0).tensor($0.1) }
    }
    let parameters = try tensors(try node.required("params"))
    func network(_ first: Int, slope: String, _ output: MultilayerPerceptron.Output) throws -> MultilayerPerceptron {
      MultilayerPerceptron(
        layers: [first, first + 2].map { MultilayerPerceptron.Layer(weight: parameters[$0], bias: parameters[$0 + 1]) },
        slope: try dims.required(slope).number(0...1), output: output)
    }
    let gan = LatentOptimizedGAN(
      generator: try network(0, slope: "g_slope", .tanh), discriminator: try network(4, slope: "d_slope", .linear),
      logStep: parameters[8], optimization: LatentOptimization(steps: steps),
      transportWeight: try dims.required("weight").number(0...1e9))
    let step = LatentOptimizedGANTrainer.differentiate(
      gan, try node.required("x").tensor([batch, signal]), from: try node.required("z0").tensor([batch, latents]))
    add("csgan_z_opt", [(step.latents, try node.required("z_opt").tensor([batch, latents]))])
    add(
      "csgan_transport_cost",
      [(Tensor(step.transportCost, dtype: .float64), try node.required("transport_cost").tensor([]))])
    add("csgan_loss_D", [(Tensor(step.discriminatorLoss, dtype: .float64), try node.required("loss_D").tensor([]))])
    add("csgan_loss_G", [(Tensor(step.generatorLoss, dtype: .float64), try node.required("loss_G").tensor([]))])
    add(
      "csgan_grad_D",
      Array(zip(step.discriminatorGradients, try tensors(try node.required("grad_D")) { $0.hasPrefix("d") })))
    add(
      "csgan_grad_G",
      Array(zip(step.generatorGradients, try tensors(try node.required("grad_G")) { !$0.hasPrefix("d") })))
  }
}
