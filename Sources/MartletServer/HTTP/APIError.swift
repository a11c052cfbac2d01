import HTTPTypes
import Hummingbird
import MartletData
import MartletEngine
import MartletModels

/// An answer that says what is wrong with a request, in the form that OpenAI's clients expect.
struct APIError: Error {
  var status: HTTPResponse.Status
  var type: String
  var message: String
  var parameter: String?
  var code: JSONValue = .null
  /// Further members of the error object.
  var details: [(String, JSONValue)] = []
  var retryAfter: Int?

  static func invalid(_ message: String, parameter: String? = nil) -> APIError {
    APIError(status: .badRequest, type: "invalid_request_error", message: message, parameter: parameter)
  }

  static func notFound(_ message: String, code: JSONValue = .null) -> APIError {
    APIError(status: .notFound, type: "not_found_error", message: message, code: code)
  }

  static let unauthorized = APIError(
    status: .unauthorized, type: "authentication_error",
    message: "the API key is missing or wrong; send it as `Authorization: Bearer KEY`", code: "invalid_api_key")

  static func forbidden(_ message: String, code: JSONValue) -> APIError {
    APIError(status: .forbidden, type: "permission_error", message: message, code: code)
  }

  static func unsupportedMedia(_ message: String) -> APIError {
    APIError(status: .unsupportedMediaType, type: "invalid_request_error", message: message)
  }

  /// What was asked for is understood and not done here.
  static func notSupported(_ message: String, parameter: String) -> APIError {
    APIError(status: .notImplemented, type: "not_supported_error", message: message, parameter: parameter)
  }

  static func tooLarge(limit: Int) -> APIError {
    APIError(
      status: .contentTooLarge, type: "invalid_request_error",
      message: "the request's body is larger than \(limit) bytes; send less", code: "request_too_large")
  }

  static func unavailable(_ message: String, code: JSONValue = 503) -> APIError {
    APIError(status: .serviceUnavailable, type: "unavailable_error", message: message, code: code, retryAfter: 1)
  }

  /// Any error as an answer; what is not foreseen says nothing of the inside.
  init(_ error: any Error) {
    switch error {
    case let error as APIError: self = error
    case let error as ContextOverflow:
      self.init(
        status: .badRequest, type: "exceed_context_size_error", message: error.description, parameter: "messages",
        code: "context_length_exceeded",
        details: [("n_prompt_tokens", .integer(error.promptTokens)), ("n_ctx", .integer(error.contextLength))])
    case let error as EngineOverloaded:
      self.init(
        status: .tooManyRequests, type: "rate_limit_error", message: error.description, code: "queue_full",
        retryAfter: 1)
    case SamplingError.notFollowed(let reason): self = .invalid(reason)
    case SamplingError.nothingAllowed: self = .invalid("\(error)")
    case is SamplingError, is ModelOutputError:
      self.init(status: .internalServerError, type: "server_error", message: "\(error)", code: "model_output")
    case let error as EngineError: self = .invalid(error.description)
    case let error as GrammarWorkExceeded: self = .invalid(error.description)
    case let error as ModelFailure: self = .unavailable(error.description)
    case let error as ModelError: self = .invalid(error.description)
    case let error as HTTPError:
      self.init(
        status: error.status, type: error.status == .notFound ? "not_found_error" : "invalid_request_error",
        message: error.body ?? error.status.reasonPhrase)
    case is CancellationError: self = .unavailable("the request was cancelled")
    default:
      self.init(
        status: .internalServerError, type: "server_error",
        message: "an unexpected error occurred; the log of the server has the details")
    }
  }

  init(
    status: HTTPResponse.Status, type: String, message: String, parameter: String? = nil, code: JSONValue = .null,
    details: [(String, JSONValue)] = [], retryAfter: Int? = nil
  ) {
    self.status = status
    self.type = type
    self.message = message
    self.parameter = parameter
    self.code = code
    self.details = details
    self.retryAfter = retryAfter
  }

  /// `{"error": {…}}`
  var body: JSONValue {
    var object = JSONObject()
    object.append("message", .string(message))
    object.append("type", .string(type))
    object.append("param", parameter.map(JSONValue.string) ?? .null)
    object.append("code", code)
    for (key, value) in details { object.append(key, value) }
    return ["error": .object(object)]
  }

  var response: Response {
    var response = Response(json: body, status: status)
    // The encodings of bodies that are taken (RFC 7694).
    if status == .unsupportedMediaType { response.headers[.acceptEncoding] = "identity" }
    if let retryAfter { response.headers[.retryAfter] = "\(retryAfter)" }
    return response
  }
}

extension Response {
  init(json: JSONValue, status: HTTPResponse.Status = .ok) {
    var bytes: [UInt8] = []
    json.write(to: &bytes)
    self.init(
      status: status, headers: [.contentType: "application/json; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
