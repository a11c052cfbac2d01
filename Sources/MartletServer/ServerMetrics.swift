import Foundation
import MartletEngine
import Synchronization

/// Counts for /metrics, in Prometheus' text format 0.0.4.
final class ServerMetrics: Sendable {
  private struct Histogram {
    static let bounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
    var counts = [Int](repeating: 0, count: bounds.count + 1)
    var sum = 0.0

    mutating func add(_ value: Double) {
      counts[Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count] += 1
      sum += value
    }
  }
  private struct Values {
    var requests: [String: Int] = [:]
    var firstToken = Histogram(), request = Histogram()
    var skeletons: [String: Int] = [:]
  }
  private let values = Mutex(Values())
  private let started = Date()

  func countRequest(path: String, status: Int, seconds: Double) {
    values.withLock {
      $0.requests["path=\"\(path)\",status=\"\(status)\"", default: 0] += 1
      $0.request.add(seconds)
    }
  }

  func countFirstToken(seconds: Double) { values.withLock { $0.firstToken.add(seconds) } }

  /// - Parameter outcome: `skeleton`, or why not.
  func countSkeleton(_ outcome: String) { values.withLock { $0.skeletons[outcome, default: 0] += 1 } }

  func text(_ engine: EngineStatistics?) -> String {
    let values = values.withLock { $0 }
    var text = ""
    func family(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: String)]) {
      text += "# HELP martlet_\(name) \(help)\n# TYPE martlet_\(name) \(type)\n"
      for sample in samples {
        text += "martlet_\(name)\(sample.labels.isEmpty ? "" : "{\(sample.labels)}") \(sample.value)\n"
      }
    }
    func single(_ name: String, _ type: String, _ help: String, _ value: Int) {
      family(name, type, help, [("", "\(value)")])
    }
    func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
      text += "# HELP martlet_\(name) \(help)\n# TYPE martlet_\(name) histogram\n"
      var total = 0
      for (index, count) in histogram.counts.enumerated() {
        total += count
        let bound = index < Histogram.bounds.count ? "\(Histogram.bounds[index])" : "+Inf"
        text += "martlet_\(name)_bucket{le=\"\(bound)\"} \(total)\n"
      }
      text += "martlet_\(name)_sum \(histogram.sum)\nmartlet_\(name)_count \(total)\n"
    }
    family(
      "requests_total", "counter", "HTTP requests answered.",
      values.requests.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
    histogram("request_seconds", "Seconds from a request's arrival to the end of its answer.", values.request)
    histogram("time_to_first_token_seconds", "Seconds from a request's arrival to its first text.", values.firstToken)
    family(
      "skeleton_answers_total", "counter", "Answers for which a skeleton was considered, by outcome.",
      values.skeletons.sorted { $0.key < $1.key }.map { ("outcome=\"\($0.key)\"", "\($0.value)") })
    if let engine {
      single("requests_running", "gauge", "Sequences in the running batch.", engine.running)
      single("requests_waiting", "gauge", "Sequences waiting for a place in the batch.", engine.waiting)
      single("prompt_tokens_total", "counter", "Prompt tokens of finished requests.", engine.promptTokens)
      single(
        "prompt_tokens_cached_total", "counter", "Prompt tokens taken from the prompt cache.", engine.cachedTokens)
      single("generated_tokens_total", "counter", "Tokens generated.", engine.generatedTokens)
      single("steps_total", "counter", "Forward passes.", engine.steps)
      single("rows_total", "counter", "Rows of all forward passes.", engine.rows)
      single("cancelled_total", "counter", "Sequences that were cancelled.", engine.cancelled)
      single("edited_answers_total", "counter", "Answers that an edit changed.", engine.intervened)
      single("prompt_cache_bytes", "gauge", "Bytes of the prompt cache.", engine.promptCacheBytes)
      single(
        "prompt_cache_device_bytes", "gauge", "Bytes of the prompt cache in a graphics card's own memory.",
        engine.promptCacheDeviceBytes)
      family(
        "forward_seconds_total", "counter", "Seconds in forward passes.", [("", "\(engine.seconds)")])
    }
    if let resident = Self.residentBytes() {
      text +=
        "# HELP process_resident_memory_bytes Resident memory in bytes.\n# TYPE process_resident_memory_bytes gauge\n"
      text += "process_resident_memory_bytes \(resident)\n"
    }
    text += "# HELP process_start_time_seconds Start time of the process in seconds since the epoch.\n"
    text += "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds \(started.timeIntervalSince1970)\n"
    return text
  }

  private static func residentBytes() -> Int? {
    guard let data = FileManager.default.contents(atPath: "/proc/self/statm") else { return nil }
    let fields = String(decoding: data, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? Int(fields[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) } : nil
  }
}
