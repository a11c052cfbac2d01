import Foundation
import Hummingbird
import MartletData
import MartletSensing
import MartletTensor

/// /martlet/sensing: a model of `martlet sense train` that measures images and recovers them. Measuring and recovering are two requests,
/// so that whoever recovers sees that nothing but the measurements is known.
struct SensingRoutes: FeatureRoutes {
  let configuration: ServerConfiguration
  let recovery: ServedRecovery
  private let worker = RecoveryWorker()

  init(configuration: ServerConfiguration, recovery: ServedRecovery) {
    self.configuration = configuration
    self.recovery = recovery
  }

  func add(to routes: inout RouteTable) {
    routes.add(.get, "/martlet/sensing") { _, _ in Response(json: recovery.json) }
    routes.add(.post, "/martlet/sensing/measurements") { try await measure($0, $1) }
    routes.add(.post, "/martlet/sensing/image") { try await recover($0, $1) }
  }

  private func measure(_ request: Request, _ context: ServerContext) async throws -> Response {
    let fields = FieldReader(try await request.jsonObject(configuration, context))
    try RequestFields.sensedImage.check(fields)
    let pixels = try Self.numbers(
      fields, "pixels", count: recovery.settings.signal, range: 0...1,
      what:
        "a number from 0 to 1 for each of \(recovery.settings.height)x\(recovery.settings.width) pixels, row after row")
    let measurements = try await worker.run(context) { recovery.measure(pixels) }
    return Response(json: ["measurements": Self.array(try Self.finite(measurements))])
  }

  private func recover(_ request: Request, _ context: ServerContext) async throws -> Response {
    let fields = FieldReader(try await request.jsonObject(configuration, context))
    try RequestFields.sensedMeasurements.check(fields)
    let measurements = try Self.numbers(
      fields, "measurements", count: recovery.settings.measurements, range: -1e6...1e6,
      what:
        "the \(recovery.settings.measurements) numbers that /martlet/sensing/measurements gives, from -1,000,000 to 1,000,000"
    )
    let wantsPath = try fields.bool("path") ?? false
    let (pixels, path, seconds) = try await worker.run(context) {
      let before = ProcessInfo.processInfo.systemUptime
      // The way ends at the image.
      let path = wantsPath ? recovery.path(measurements) : nil
      let pixels = path?.steps.last?.image ?? recovery.recover(measurements)
      return (pixels, path, ProcessInfo.processInfo.systemUptime - before)
    }
    _ = try Self.finite(pixels)
    let steps = path?.steps.map { step -> JSONValue in
      [
        "step": .integer(step.number), "measurement_error": .number(step.measurementError),
        "pixels": Self.array(step.image),
      ]
    }
    return Response(json: [
      "pixels": Self.array(pixels), "seconds": .number(seconds), "path": steps.map(JSONValue.array) ?? .null,
    ])
  }

  /// A field with so many numbers.
  private static func numbers(
    _ fields: FieldReader, _ name: String, count: Int, range: ClosedRange<Double>, what: String
  ) throws -> [Double] {
    guard let array = try fields.array(name) else {
      throw APIError.invalid("`\(name)` is missing; send \(what)", parameter: name)
    }
    guard array.count == count else {
      throw fields.refuse(name, "has \(array.count) numbers instead of \(count); send \(what)")
    }
    return try array.enumerated().map { index, item in
      guard let number = item.number, range.contains(number) else {
        throw fields.refuse("\(name)[\(index)]", "is \(item.text.prefix(40)); send \(what)")
      }
      return number
    }
  }

  /// - Throws: an error of the server where a number is none.
  private static func finite(_ numbers: [Double]) throws -> [Double] {
    guard numbers.allSatisfy(\.isFinite) else {
      throw APIError(
        status: .internalServerError, type: "server_error",
        message:
          "the model of --sense computes NaN or infinity for these numbers; its weights are damaged: train it again",
        code: "model_output")
    }
    return numbers
  }

  private static func array(_ numbers: [Double]) -> JSONValue { .array(numbers.map(JSONValue.number)) }
}

/// The model of a recovery file behind the routes.
struct ServedRecovery: Sendable {
  let model: RecoveryModel
  let settings: RecoverySettings
  let data: String

  /// - Parameter path: a model file of `martlet sense train`, or the folder of the run.
  /// - Throws: `FileError` where it is none.
  init(_ path: String) throws {
    (model, settings, data) = try RecoveryFile.read(RecoveryFile.path(path))
  }

  var json: JSONValue {
    let hasPath = settings.method == .dcs || settings.method == .csgm
    return [
      "height": .integer(settings.height), "width": .integer(settings.width),
      "measurements": .integer(settings.measurements), "method": .string(settings.method.rawValue),
      "measurement": .string(settings.measurement.rawValue), "data": .string(data), "has_latent_path": .bool(hasPath),
    ]
  }

  /// The measurements of pixels from 0 to 1.
  func measure(_ pixels: [Double]) -> [Double] {
    model.measure(Tensor(pixels.map { Float($0 * 2 - 1) }, shape: [1, pixels.count])).detached().doubleValues
  }

  /// The pixels, from 0 to 1, of measurements.
  func recover(_ measurements: [Double]) -> [Double] {
    model.reconstruct(row(measurements), random: random).detached().doubleValues.map {
      $0.isFinite ? (min(1, max(-1, $0)) + 1) / 2 : $0
    }
  }

  /// The way to the image; nil for a method without latent steps.
  func path(_ measurements: [Double]) -> LatentPath? { LatentPath(from: row(measurements), by: model, random: random) }

  private func row(_ measurements: [Double]) -> Tensor {
    Tensor(measurements.map(Float.init), shape: [1, measurements.count])
  }

  /// The same start for each request, so that the same numbers give the same image.
  private var random: RandomSource { RandomSource(seed: 1).stream("server") }
}
