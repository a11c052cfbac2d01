import Foundation
import HTTPTypes
import Hummingbird
import MartletData
import MartletEngine
import NIOCore

extension Request {
  /// The body as a JSON object.
  /// - Throws: ``APIError``: 413 beyond the largest body, 408 when it takes too long, 415 for another kind of content,
  ///   400 for what is no JSON object.
  func jsonObject(_ configuration: ServerConfiguration, _ context: ServerContext) async throws -> JSONObject {
    try checkContent()
    var bytes = try await bytes(
      limit: configuration.maxBodyBytes, timeout: .seconds(configuration.readTimeout), context.channel)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }  // a byte order mark
    do {
      let value = try JSONValue(parsing: bytes)
      guard let object = value.object else {
        throw APIError.invalid("the body is \(value.kind); it must be a JSON object")
      }
      return object
    } catch let error as JSONError {
      throw APIError.invalid("the body is not valid JSON: \(error)")
    }
  }

  /// Only JSON is taken: a web page can send other kinds of content without asking the server first. What no page
  /// sends may leave its kind out.
  private func checkContent() throws {
    let type = headers[.contentType]
    if type != nil || headers[.origin] != nil {
      let media = (type ?? "").prefix { $0 != ";" }.lowercased().trimmingCharacters(in: .whitespaces)
      guard media == "application/json" || (media.hasPrefix("application/") && media.hasSuffix("+json")) else {
        throw APIError.unsupportedMedia(
          (type.map { "the body is \($0.prefix(100))" } ?? "the body has no `Content-Type`")
            + "; send JSON with the header Content-Type: application/json")
      }
    }
    let encodings = (headers[.contentEncoding] ?? "").lowercased().split(separator: ",")
      .map { $0.trimmingCharacters(in: .whitespaces) }
    if let encoding = encodings.first(where: { !$0.isEmpty && $0 != "identity" }) {
      throw APIError.unsupportedMedia(
        "the body is compressed (Content-Encoding: \(encoding.prefix(40))); send it uncompressed")
    }
  }

  private func bytes(limit: Int, timeout: Duration, _ channel: any Channel) async throws -> [UInt8] {
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw APIError.tooLarge(limit: limit)
    }
    if headers[.expect] != nil { channel.triggerUserOutboundEvent(BodyIsWanted(), promise: nil) }
    let body = body
    return try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
      group.addTask {
        var bytes: [UInt8] = []
        for try await buffer in body {
          guard bytes.count + buffer.readableBytes <= limit else { throw APIError.tooLarge(limit: limit) }
          bytes += buffer.readableBytesView
        }
        return bytes
      }
      group.addTask {
        try await Task.sleep(for: timeout)
        return nil
      }
      defer { group.cancelAll() }
      guard let bytes = try await group.next() ?? nil else {
        throw APIError(
          status: .requestTimeout, type: "invalid_request_error",
          message: "the body did not arrive within \(timeout); send it faster")
      }
      return bytes
    }
  }
}
