import Foundation
import MartletCheckpoints

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Fetches a model's files from the Hugging Face hub (or a mirror: `HF_ENDPOINT`), resuming what was begun and
/// checking sizes and SHA-256 sums where the hub tells them.
public struct HubDownload: Sendable {
  public struct File: Sendable {
    public let name: String
    public let size: Int?
    public let sha256: String?
  }

  public let repository: String
  private let endpoint: String
  private let token: String?

  /// - Parameter repository: `owner/name`
  public init(repository: String) throws {
    let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
    let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_."))
    guard parts.count == 2,
      parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && $0.unicodeScalars.allSatisfy(allowed.contains) })
    else {
      throw ModelError("\(repository) is not a hub name; write owner/name, e.g. HuggingFaceTB/SmolLM2-135M-Instruct")
    }
    self.repository = repository
    let environment = ProcessInfo.processInfo.environment
    endpoint = environment["HF_ENDPOINT"] ?? "https://huggingface.co"
    token = environment["HF_TOKEN"]
  }

  private func request(_ path: String) throws -> URLRequest {
    guard let url = URL(string: "\(endpoint)/\(path)") else { throw ModelError("\(endpoint) is not an address") }
    var request = URLRequest(url: url)
    request.timeoutInterval = 60
    if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
    return request
  }

  /// Files of the repository that a model needs: `pattern` (a part of the name) picks among several GGUF files.
  public func files(matching pattern: String?) async throws -> [File] {
    let (data, response) = try await fetch(request("api/models/\(repository)/tree/main?recursive=true"))
    try check(response, what: repository)
    guard let list = (try? MetadataValue(json: data))?.array else {
      throw ModelError("the hub's answer about \(repository) is not understood")
    }
    let all = list.compactMap { entry -> File? in
      guard let object = entry.object, object["type"]?.string == "file", let name = object["path"]?.string,
        !name.hasPrefix("/"), !name.split(separator: "/").contains("..")
      else { return nil }
      let large = object["lfs"]?.object
      return File(name: name, size: object["size"]?.integer, sha256: large?["oid"]?.string)
    }
    let weights = all.filter { file in
      [".safetensors", ".gguf", ".pth", ".st", ".bin"].contains { file.name.hasSuffix($0) }
        && !file.name.hasPrefix("training_args")
    }
    var chosen = pattern.map { pattern in weights.filter { $0.name.contains(pattern) } } ?? weights
    if pattern == nil {
      let safe = chosen.filter { $0.name.hasSuffix(".safetensors") && !$0.name.contains("/") }
      if !safe.isEmpty { chosen = safe }
      if chosen.count > 1, chosen.contains(where: { $0.name.hasSuffix(".gguf") || $0.name.hasSuffix(".pth") }) {
        throw ModelError(
          "\(repository) holds several models: \(chosen.map(\.name).joined(separator: ", ")); choose one with --file")
      }
    }
    guard !chosen.isEmpty else {
      throw ModelError("\(repository) holds no model file\(pattern.map { " whose name contains \($0)" } ?? "")")
    }
    let beside = ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"]
    return all.filter { beside.contains($0.name) || $0.name.hasSuffix(".index.json") } + chosen
  }

  /// Fetches one file into `folder`; `progress` hears the bytes that are there and the total.
  public func fetch(_ file: File, into folder: String, progress: @escaping @Sendable (Int, Int?) -> Void) async throws {
    let path = folder + "/" + file.name
    let manager = FileManager.default
    try manager.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    if let size = file.size, (try? manager.attributesOfItem(atPath: path)[.size] as? Int) == size { return }
    let partial = path + ".part"
    let escaped = file.name.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? file.name
    var request = try request("\(repository)/resolve/main/\(escaped)")
    var present = (try? manager.attributesOfItem(atPath: partial)[.size] as? Int) ?? 0
    if let size = file.size, present > size { present = 0 }
    if present > 0 { request.setValue("bytes=\(present)-", forHTTPHeaderField: "Range") }
    if present == 0 || file.size != present {
      try await FileTransfer(path: partial, keep: present, total: file.size, progress: progress).run(request)
    }
    let found = (try? manager.attributesOfItem(atPath: partial)[.size] as? Int) ?? 0
    if let size = file.size, found != size {
      throw ModelError("\(file.name) has \(found) of \(size) bytes; run the same command again to go on")
    }
    if let expected = file.sha256 {
      let map = try MappedFile(path: partial)
      defer { withExtendedLifetime(map) {} }
      var digest = SHA256()
      for start in stride(from: 0, to: map.bytes.count, by: 1 << 20) {
        digest.update(map.bytes[start..<min(map.bytes.count, start + 1 << 20)])
      }
      guard digest.finalize() == expected else {
        try? manager.removeItem(atPath: partial)
        throw ModelError("\(file.name) arrived damaged (its checksum is wrong) and was removed; fetch it again")
      }
    }
    _ = try? manager.removeItem(atPath: path)
    try manager.moveItem(atPath: partial, toPath: path)
  }

  private func fetch(_ request: URLRequest) async throws -> (Data, URLResponse) {
    do { return try await URLSession.shared.data(for: request) } catch {
      throw ModelError("the hub at \(endpoint) cannot be reached (\(error.localizedDescription)); check the connection")
    }
  }

  private func check(_ response: URLResponse, what: String) throws { try HubDownload.check(response, what: what) }

  fileprivate static func check(_ response: URLResponse, what: String) throws {
    switch (response as? HTTPURLResponse)?.statusCode ?? 0 {
    case 200..<300: return
    case 401, 403: throw ModelError("the hub does not let you read \(what); accept its licence there and set HF_TOKEN")
    case 404: throw ModelError("the hub has no \(what); check the name")
    case let code: throw ModelError("the hub answered \(code) for \(what); try again later")
    }
  }
}

/// One download, written to its file as it arrives.
private final class FileTransfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  private let path: String
  private let keep: Int
  private let total: Int?
  private let progress: @Sendable (Int, Int?) -> Void
  private var handle: FileHandle?
  private var written = 0
  private var failure: (any Error)?
  private var continuation: CheckedContinuation<Void, any Error>?

  init(path: String, keep: Int, total: Int?, progress: @escaping @Sendable (Int, Int?) -> Void) {
    self.path = path
    self.keep = keep
    self.total = total
    self.progress = progress
  }

  func run(_ request: URLRequest) async throws {
    let session = URLSession(configuration: .default, delegate: self, delegateQueue: nil)
    defer { session.finishTasksAndInvalidate() }
    try await withCheckedThrowingContinuation { continuation in
      self.continuation = continuation
      session.dataTask(with: request).resume()
    }
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    do {
      try HubDownload.check(response, what: (path as NSString).lastPathComponent)
      let resumes = (response as? HTTPURLResponse)?.statusCode == 206 && keep > 0
      if !FileManager.default.fileExists(atPath: path) {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
      }
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try handle.truncate(atOffset: resumes ? UInt64(keep) : 0)
      try handle.seekToEnd()
      self.handle = handle
      written = resumes ? keep : 0
      completionHandler(.allow)
    } catch {
      failure = error
      completionHandler(.cancel)
    }
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    do {
      try handle?.write(contentsOf: data)
      written += data.count
      progress(written, total)
    } catch {
      failure = error
      dataTask.cancel()
    }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    try? handle?.close()
    if let failure {
      continuation?.resume(throwing: failure)
    } else if let error {
      continuation?.resume(
        throwing: ModelError(
          "the connection broke (\(error.localizedDescription)); run the same command again to go on"))
    } else {
      continuation?.resume()
    }
    continuation = nil
  }
}
