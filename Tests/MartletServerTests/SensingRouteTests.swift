import Foundation
import Logging
import MartletData
import MartletModels
import MartletSensing
import Testing

@testable import MartletServer

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
