import Foundation
import MartletData
import MartletModels

/// Paths as the server reads them.
enum RequestPath {
  /// Without percent signs, doubled slashes and slashes at the end: clients join base URLs and paths in many ways.
  static func canonical(_ path: String) -> String {
    let decoded = path.removingPercentEncoding ?? path
    let parts = decoded.split(separator: "/", omittingEmptySubsequences: true)
    return "/" + parts.joined(separator: "/")
  }

  /// What to call instead of a path that other servers have and this one does not; nil where it is nobody's.
  static func advice(for path: String, routes: some Collection<String>) -> String? {
    if let exact = elsewhere[path] { return exact }
    for (start, advice) in elsewhereBelow where path == start || path.hasPrefix(start + "/") { return advice }
    // The right path behind a wrong base URL, as /v1/v1/chat/completions or /openai/v1/models.
    let fitting = routes.filter { $0.count > 1 && !$0.hasSuffix("/*") && path.hasSuffix($0) }
    guard let route = fitting.max(by: { $0.count < $1.count }) else { return nil }
    return "call \(route); the base URL of clients is ADDRESS/v1"
  }

  /// Where a path is nobody's: the ones that come near, or else all that there are.
  static func choice(for path: String, of names: [String]) -> String {
    // The page and its files are found by the page itself.
    let calls = names.filter { $0 != "/" && !$0.hasSuffix("/*") && !$0.contains(".") }
    let near = NearestNames.of(path, among: calls)
    if !near.isEmpty { return "did you mean \(near.joined(separator: " or "))?" }
    return "there are \(calls.dropLast().joined(separator: ", "))\(calls.count > 1 ? " and " : "")\(calls.last ?? "/")"
  }

  private static let chat = "call /v1/chat/completions, OpenAI's chat API"
  private static let completion = "call /v1/completions with `prompt`"
  private static let models = "call /v1/models"
  private static let embeddings = "call /v1/embeddings with `input`"
  private static let health = "call /health"

  private static let elsewhere: [String: String] = [
    // OpenAI, Anthropic, Google
    "/v1/responses": chat + "; the responses API is not supported", "/responses": chat, "/v1/messages": chat,
    "/messages": chat, "/v1/complete": completion, "/v1/messages/count_tokens": "call /tokenize with `messages`",
    "/v1/chat": chat, "/chat": chat, "/v1": "call /v1/models, /v1/chat/completions, /v1/completions or /v1/embeddings",
    "/v1/moderations": "moderation is not supported; " + chat,
    // Ollama
    "/api/chat": chat, "/api/generate": completion, "/api/tags": models, "/api/show": models, "/api/ps": models,
    "/api/version": health, "/api/embed": embeddings, "/api/embeddings": embeddings,
    "/api/pull": "fetch models with `martlet models pull`",
    // llama.cpp
    "/completion": completion, "/props": models, "/slots": "call /metrics",
    "/infill": "infilling is not supported; " + completion, "/embedding": embeddings,
    "/apply-template": "call /tokenize with `messages`",
    "/lora-adapters": "adapters are given to the server with --adapter",
    // vLLM and others
    "/v1/rerank": "reranking is not supported; " + embeddings, "/rerank": "reranking is not supported; " + embeddings,
    "/v2/rerank": "reranking is not supported; " + embeddings,
    "/reranking": "reranking is not supported; " + embeddings,
    "/v1/reranking": "reranking is not supported; " + embeddings,
    "/v1/score": "scoring is not supported; call /v1/completions with `echo` and `logprobs`",
    "/score": "scoring is not supported; call /v1/completions with `echo` and `logprobs`",
    "/pooling": embeddings, "/classify": "classification is not supported; " + chat, "/version": health,
    "/ping": health, "/healthz": health, "/health/live": health, "/health/ready": health, "/v1/healthz": health,
    "/generate": completion, "/generate_stream": completion + " and `stream`", "/invocations": chat, "/info": models,
    "/v1/tokenize": "call /tokenize", "/v1/detokenize": "call /detokenize", "/v1/metrics": "call /metrics",
    "/v1/internal/model/info": models,
  ]

  private static let elsewhereBelow: [(String, String)] = [
    // A feature that this server was started without.
    (
      "/martlet/sensing",
      "there are /martlet/sensing, /martlet/sensing/measurements and /martlet/sensing/image; where they are missing, start it with "
        + "--sense FILE, a model of `martlet sense train`"
    ),
    ("/v1/responses", chat + "; the responses API is not supported"),
    ("/v1/audio", "audio is not supported; " + chat), ("/v1/images", "images are not supported; " + chat),
    ("/v1/videos", "videos are not supported; " + chat), ("/v1/realtime", chat + " with `stream`"),
    ("/v1/files", "files are not stored here; " + chat), ("/v1/uploads", "files are not stored here; " + chat),
    ("/v1/batches", "batch jobs are not supported; " + chat), ("/v1/assistants", chat), ("/v1/threads", chat),
    ("/v1/conversations", chat), ("/v1/vector_stores", embeddings), ("/v1/engines", completion),
    ("/v1/fine_tuning", "train with `martlet train`"), ("/v1/fine-tunes", "train with `martlet train`"),
    ("/v1beta", chat), ("/api", "Ollama's API is not supported; " + chat), ("/slots", "call /metrics"),
    ("/sdapi", "images are not supported; " + chat), ("/openai/deployments", chat),
  ]
}
