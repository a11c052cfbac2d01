import Foundation
import MartletCheckpoints
import MartletData

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Downloads a model's files from the Hugging Face hub or a mirror (`HF_ENDPOINT`). Interrupted downloads are resumed.
/// Sizes and SHA-256 digests are verified if the hub provides them.
public struct HubDownload: Sendable {
  /// One file of a repository.
  public struct File: Sendable {
    /// The path in the repository.
    public let name: String
    /// The size in bytes; nil if the hub does not provide it.
    public let size: Int?
    /// The SHA-256 digest in hexadecimal; nil if the hub does not provide it.
    public let sha256: String?
  }

  /// The repository, `owner/name`.
  public let repository: String
  private let access: HubAccess

  /// A download from `HF_ENDPOINT` (default: the Hugging Face hub) with the access token `HF_TOKEN`.
  /// - Parameter repository: `owner/name`
  public init(repository: String) throws {
    let environment = ProcessInfo.processInfo.environment
    try self.init(
      repository: repository, endpoint: environment["HF_ENDPOINT"] ?? "https://huggingface.co",
      token: environment["HF_TOKEN"])
  }

  init(repository: String, endpoint: String, token: String?) throws {
    let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2,
      parts.allSatisfy({ part in
        !part.isEmpty && !part.hasPrefix(".") && part.utf8.count <= 200
          && part.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_.".unicodeScalars.contains($0))
          }
      })
    else {
      throw ModelError("\(repository) is not a hub name; write owner/name, e.g. HuggingFaceTB/SmolLM2-135M-Instruct")
    }
    self.repository = repository
    access = try HubAccess(endpoint: endpoint, token: token)
  }

  private func address(_ path: String) throws -> URL {
    guard let url = URL(string: "\(access.endpoint.absoluteString)/\(path)") else {
      throw ModelError("\(path) cannot be fetched; its name cannot be part of an address")
    }
    return url
  }

  /// Most bytes of a list of files, and of a file whose size nobody tells.
  private static let mostUnannouncedBytes = 64 << 20

  /// The files of the repository that a model needs. `pattern`, a part of the name, selects one of several GGUF files.
  public func files(matching pattern: String?) async throws -> [File] {
    let list = try await list()
    let all = list.compactMap { entry -> File? in
      guard let object = entry.object, object["type"]?.string == "file", let name = object["path"]?.string
      else { return nil }
      let size = object["size"]?.integer.flatMap { $0 >= 0 ? $0 : nil }
      return File(name: name, size: size, sha256: Self.sha256(object["lfs"]?.object?["oid"]?.string))
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
          "\(repository) contains several models: \(chosen.map(\.name).joined(separator: ", ")); choose one with --file"
        )
      }
    }
    guard !chosen.isEmpty else {
      throw ModelError("\(repository) contains no model file\(pattern.map { " whose name contains \($0)" } ?? "")")
    }
    let beside = ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"]
    let files = all.filter { beside.contains($0.name) || $0.name.hasSuffix(".index.json") } + chosen
    if let bad = files.first(where: { !Self.staysInside($0.name) }) {
      throw ModelError(
        "the hub lists a file \(bad.name.prefix(200)), whose name leads out of the folder; it is not fetched")
    }
    return files
  }

  /// Whether a file's name, which the hub gives, is a path inside a folder.
  static func staysInside(_ name: String) -> Bool {
    name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
      !part.isEmpty && part != "." && part != ".." && part.utf8.count <= 200
    } && name.printable == name && !name.contains("\\")
  }

  /// A checksum of 64 hexadecimal digits, as the hub writes it: in quotes in headers, after `sha256:` in lists.
  private static func sha256(_ text: String?) -> String? {
    guard var text = text?.lowercased() else { return nil }
    text = text.replacing("\"", with: "")
    if text.hasPrefix("sha256:") { text.removeFirst(7) }
    return text.utf8.count == 64 && text.allSatisfy(\.isHexDigit) ? text : nil
  }

  private func list() async throws -> [MetadataValue] {
    var data = Data()
    let repository = repository
    try await access.exchange(
      address("api/models/\(repository)/tree/main?recursive=true"),
      receive: { response, isLast in if isLast { try Self.check(response, what: repository) } },
      take: { piece in
        data.append(piece)
        guard data.count <= Self.mostUnannouncedBytes else {
          throw ModelError("the hub's list of files of \(repository) does not end; the download was stopped")
        }
      })
    guard let list = (try? MetadataValue(json: data))?.array else {
      throw ModelError("the hub's answer about \(repository) is not valid")
    }
    return list
  }

  /// Downloads one file into `folder`.
  ///
  /// An interrupted download is resumed if a digest can verify the result. Two downloads of the same file wait for each
  /// other. `progress` is a callback that is called with the number of bytes present and the total, which is nil if it
  /// is unknown.
  public func fetch(_ file: File, into folder: String, progress: @escaping @Sendable (Int, Int?) -> Void) async throws {
    guard Self.staysInside(file.name) else { throw ModelError("the name \(file.name) leads out of \(folder)") }
    let path = folder + "/" + file.name
    let manager = FileManager.default
    try OutputTarget.makeFolder(path.parentFolder)
    AtomicFile.removeLeftovers(of: path)
    let isThere = {
      guard let size = file.size else { return false }
      guard (try? manager.attributesOfItem(atPath: path)[.size] as? Int) == size else { return false }
      // A newer version, and a damaged one, may well have the same size.
      guard let sha256 = file.sha256 else { return true }
      return (try? PartialFile.digest(path)) == sha256
    }
    guard let partial = try await PartialFile.open(path, isThere: isThere) else { return }
    let begun = partial.count > 0 && file.sha256 != nil && partial.count <= file.size ?? 0
    if !begun { try partial.clear() }
    do {
      try await fetch(file, into: partial, progress: progress)
    } catch is DamagedFile where begun {
      // The beginning was of another file.
      try partial.clear()
      try await fetch(file, into: partial, progress: progress)
    }
    try partial.commit()
  }

  /// What arrived is not what was announced.
  private struct DamagedFile: Error {}

  private func fetch(
    _ file: File, into partial: PartialFile, progress: @escaping @Sendable (Int, Int?) -> Void
  ) async throws {
    var size = file.size, sha256 = file.sha256
    let access = access
    let start = partial.count
    if start == 0 || start != size {
      let escaped = file.name.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? file.name
      try await access.exchange(
        address("\(repository)/resolve/main/\(escaped)"), range: start > 0 ? start : nil,
        receive: { response, isLast in
          func header(_ name: String) -> String? { response.value(forHTTPHeaderField: name) }
          if let url = response.url, access.isHub(url) {
            sha256 = sha256 ?? Self.sha256(header("X-Linked-Etag")) ?? Self.sha256(isLast ? header("ETag") : nil)
            size = size ?? header("X-Linked-Size").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
          }
          guard isLast else { return }
          if response.statusCode == 416 {
            try partial.clear()
            throw DamagedFile()
          }
          try Self.check(response, what: file.name)
          let resumes = response.statusCode == 206
          if resumes, header("Content-Range")?.hasPrefix("bytes \(start)-") != true {
            throw ModelError("the hub sent a part of \(file.name) that was not requested; try again later")
          }
          if !resumes {
            try partial.clear()
            size = size ?? header("Content-Length").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
          }
        },
        take: { data in
          let limit = size ?? Self.mostUnannouncedBytes
          guard data.count <= limit - partial.count else {
            partial.remove()
            throw ModelError(
              "\(file.name) is larger than the \(limit) bytes that were announced and was removed; try again later, or from another mirror"
            )
          }
          try partial.append(data)
          progress(partial.count, size)
        })
    }
    if let size, partial.count != size {
      throw ModelError("\(file.name) has \(partial.count) of \(size) bytes; run the same command again to resume")
    }
    guard let sha256 else { return }
    guard try partial.digest() == sha256 else {
      if start > 0 { throw DamagedFile() }
      partial.remove()
      throw ModelError("\(file.name) arrived damaged (its checksum is wrong) and was removed; fetch it again")
    }
  }

  private static func check(_ response: HTTPURLResponse, what: String) throws {
    switch response.statusCode {
    case 200..<300: return
    case 401, 403: throw ModelError("the hub does not let you read \(what); accept its licence there and set HF_TOKEN")
    case 404: throw ModelError("the hub has no \(what); check the name")
    case let code: throw ModelError("the hub answered \(code) for \(what); try again later")
    }
  }
}
