import Foundation
import Logging
import MartletData
import MartletModels
import MartletLayers
import MartletSensing
import MartletTensor
import Testing

@testable import MartletServer

private actor Count {
  private(set) var value = 0
  func add() { value += 1 }
}

struct SensingRouteTests {
  private func settings(_ method: RecoverySettings.Method) -> RecoverySettings {
    var settings = RecoverySettings()
    (settings.method, settings.height, settings.width) = (method, 4, 3)
    (settings.measurements, settings.hidden, settings.latents) = (5, 8, 4)
    return settings
  }

  /// A server of a model file in a folder that is removed afterwards.
  private func serving(
    _ method: RecoverySettings.Method, _ body: @Sendable (String) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/sensing-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try RecoveryFile.write(
      RecoveryModel(settings(method)), settings: settings(method), data: "no images", to: folder + "/model.safetensors")
    try await withServer({ $0.recoveryPath = folder }) { base, _ in try await body(base) }
  }

  @Test func recoversFromMeasurementsAlone() async throws {
    try await serving(.regression) { base in
      let about = try await call(base + "/martlet/sensing").body
      #expect(about["height"]?.integer == 4 && about["width"]?.integer == 3 && about["measurements"]?.integer == 5)
      #expect(about["method"]?.string == "regression" && about["has_latent_path"]?.bool == false)
      #expect(about["data"]?.string == "no images")

      let pixels = "[\((0..<12).map { "\(Double($0) / 11)" }.joined(separator: ","))]"
      let measured = try await call(base + "/martlet/sensing/measurements", #"{"pixels":\#(pixels)}"#)
      #expect(measured.status == 200)
      let measurements = try #require(measured.body["measurements"])
      #expect(measurements.array?.count == 5)
      let body = #"{"measurements":\#(measurements.text),"path":true}"#
      let image = try await call(base + "/martlet/sensing/image", body)
      #expect(image.status == 200 && image.body["path"]?.isNull == true)
      let values = (image.body["pixels"]?.array ?? []).compactMap(\.number)
      #expect(values.count == 12 && values.allSatisfy { (0...1).contains($0) })
      #expect(try await call(base + "/martlet/sensing/image", body).body["pixels"] == image.body["pixels"])
      #expect(try await call(base + "/v1/models").body["data"]?.array?.first?["meta"]?["sensing"]?.bool == true)
    }
  }

  /// Files whose numbers are no numbers are refused at start, and those whose results are none give an error, not a black image.
  @Test func damagedWeightsAreRefused() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/sensing-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let settings = settings(.regression)
    for (name, factor) in [("nan", Double.nan), ("large", 1e30)] {
      var model = try RecoveryModel(settings)
      model.replaceParameters(model.parameters.map { $0.value * factor })
      try RecoveryFile.write(model, settings: settings, data: "none", to: folder + "/" + name)
    }
    #expect(throws: FileError.self) { try ServedRecovery(folder + "/nan") }
    try Data("GGUF\u{3}\0\0\0 and no object".utf8).write(to: URL(fileURLWithPath: folder + "/gguf"))
    do {
      _ = try ServedRecovery(folder + "/gguf")
      Issue.record("a GGUF file was taken")
    } catch {
      #expect("\(error)".contains("no model of `martlet sense train`"))
    }
    try await withServer({ $0.recoveryPath = folder + "/large" }) { base, _ in
      let reply = try await call(base + "/martlet/sensing/image", #"{"measurements":[1e5,1e5,1e5,1e5,1e5]}"#)
      #expect(reply.status == 500 && reply.text.contains("NaN or infinity"), "\(reply.text)")
    }
  }

  /// A search that would take minutes holds up neither other requests nor, when its client leaves, the next search.
  @Test func searchesLeaveTheServerFree() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/sensing-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var settings = settings(.csgm)
    (settings.searchSteps, settings.restarts, settings.measurement) = (100_000, 100, .random)
    try RecoveryFile.write(RecoveryModel(settings), settings: settings, data: "none", to: folder + "/model.safetensors")
    try await withServer({ $0.recoveryPath = folder }) { base, _ in
      let body = #"{"measurements":[1,0,-1,0.5,0]}"#
      let ended = Count()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 {
          group.addTask {
            _ = try? await call(base + "/martlet/sensing/image", body)
            await ended.add()
          }
        }
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await call(base + "/health").status == 200)
        // Answered while all of them still search, however busy the machine is.
        #expect(await ended.value == 0)
        group.cancelAll()
      }
      // All three were given up: the thread is free for what takes no time.
      let pixels = "[\((0..<12).map { _ in "0" }.joined(separator: ","))]"
      #expect(try await call(base + "/martlet/sensing/measurements", #"{"pixels":\#(pixels)}"#).status == 200)
    }
  }

  @Test func showsTheLatentPath() async throws {
    try await serving(.dcs) { base in
      #expect(try await call(base + "/martlet/sensing").body["has_latent_path"]?.bool == true)
      let image = try await call(base + "/martlet/sensing/image", #"{"measurements":[1,0,-1,0.5,0],"path":true}"#).body
      let path = image["path"]?.array ?? []
      #expect(path.compactMap { $0["step"]?.integer } == [0, 1, 2, 3])
      let (last, whole) = (path.last?["pixels"]?.array ?? [], image["pixels"]?.array ?? [])
      #expect(last.count == 12 && zip(last, whole).allSatisfy { abs(($0.number ?? 9) - ($1.number ?? -9)) < 1e-5 })
      #expect(path.allSatisfy { ($0["measurement_error"]?.number ?? -1) >= 0 })
    }
  }

  @Test(arguments: [
    ("measurements", #"{}"#, "`pixels` is missing; send a number from 0 to 1 for each of 4x3 pixels"),
    ("measurements", #"{"pixels":[1,2]}"#, "`pixels` has 2 numbers instead of 12"),
    ("measurements", #"{"pixels":[0,0,0,0,0,0,0,0,0,0,0,2]}"#, "`pixels[11]` is 2"),
    ("measurements", #"{"pixels":"black"}"#, "`pixels` must be an array, not a string"),
    ("measurements", #"{"pixels":[],"colour":1}"#, "`colour` is not a field of /martlet/sensing/measurements"),
    ("image", #"{"measurements":[0,0,0,0,1e300]}"#, "`measurements[4]` is 1e"),
    ("image", #"{"measurements":[0,0,0,0,null]}"#, "`measurements[4]` is null"),
    ("image", #"{"measurements":[0,0,0,0]}"#, "`measurements` has 4 numbers instead of 5"),
    ("image", #"{"measurements":[0,0,0,0,0],"path":1}"#, "`path` must be a boolean"),
    ("image", #"[1]"#, "it must be a JSON object"),
  ])
  func wrongBodiesGetASentence(path: String, body: String, message: String) async throws {
    try await serving(.regression) { base in
      let reply = try await call(base + "/martlet/sensing/" + path, body)
      #expect(reply.status == 400)
      #expect(reply.body["error"]?["message"]?.string?.contains(message) == true, "\(reply.text)")
    }
  }

  @Test func aServerWithoutSuchAModelSaysSo() async throws {
    try await withServer { base, _ in
      let reply = try await call(base + "/martlet/sensing")
      #expect(reply.status == 404)
      #expect(reply.body["error"]?["message"]?.string?.contains("start it with --sense FILE") == true)
      #expect(try await call(base + "/draw.html").status == 200)
      #expect(try await call(base + "/v1/models").body["data"]?.array?.first?["meta"]?["sensing"]?.bool == false)
    }
  }

  @Test func aFileThatIsNoModelIsRefusedBeforeListening() async throws {
    var configuration = ServerConfiguration()
    (configuration.port, configuration.recoveryPath) = (0, "/does/not/exist")
    let server = ModelServer(configuration, logger: Logger(label: "test")) { try LoadedModel.load(BuiltInModel.name) }
    await #expect(throws: FileError.self) { try await server.run() }
  }
}
