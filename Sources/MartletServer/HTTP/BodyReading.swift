import Hummingbird
import MartletEngine
import NIOCore

extension Request {
  /// The body as a JSON object.
  /// - Throws: ``APIError``: 413 beyond `limit` bytes, 408 when it takes longer than `timeout`, 415 for another kind of
  ///   content, 400 for what is no JSON object.
  func jsonObject(limit: Int, timeout: Duration) async throws -> JSONObject {
    if let type = headers[.contentType]?.lowercased(), !type.contains("json"), !type.hasPrefix("text/plain"),
      !type.contains("x-www-form-urlencoded")  // what curl --data sends by itself
    {
      throw APIError(
        status: .unsupportedMediaType, type: "invalid_request_error",
        message: "the body is \(type.prefix(100)); send application/json")
    }
    let bytes = try await bytes(limit: limit, timeout: timeout)
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

  private func bytes(limit: Int, timeout: Duration) async throws -> [UInt8] {
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw APIError.tooLarge(limit: limit)
    }
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
