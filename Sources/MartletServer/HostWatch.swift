import Foundation
import Logging
import MartletHostCheck
import Synchronization

/// The host check of a running server: once at the start, and again when /metrics is asked for and a minute has gone.
final class HostWatch: Sendable {
  private let root: String?
  private let last = Mutex<HostReport?>(nil)

  init(root: String?) { self.root = root }

  /// - Throws: HostCheckError where the machine cannot be read.
  func look() throws -> HostReport {
    let report = HostReport(HostVerdict(try HostReader.read(root: root)), toolVersion: "", isRoot: geteuid() == 0)
    last.withLock { $0 = report }
    return report
  }

  /// Prometheus' text; empty where the machine cannot be read.
  var metrics: String {
    if let known = last.withLock({ $0 }), Date().timeIntervalSince(known.time) < 60 { return known.prometheus }
    return (try? look().prometheus) ?? ""
  }

  /// Says at the start how the host stands.
  /// - Throws: ServerRefusal where `isRequired` and this is a confidential guest whose host is open to CacheWarp.
  func tell(_ logger: Logger, isRequired: Bool) throws {
    let report: HostReport
    do {
      report = try look()
    } catch {
      logger.warning("host not checked", metadata: ["reason": "\(error)"])
      if isRequired { throw ServerRefusal("--require-safe-host: this machine could not be checked: \(error)") }
      return
    }
    var metadata: Logger.Metadata = [:]
    for finding in report.verdict.findings {
      metadata[finding.flaw.name] = "\(finding.status.rawValue) (\(finding.confidence.rawValue), \(finding.reason))"
    }
    logger.log(
      level: report.verdict.exitCode == 2 ? .warning : .info, "host check; run `martlet host` for details",
      metadata: metadata)
    let cacheWarp = report.verdict[.cacheWarp]
    if isRequired, report.verdict.facts.guestEncryption != nil, let cacheWarp, cacheWarp.status == .vulnerable {
      throw ServerRefusal(
        "--require-safe-host: this confidential guest is vulnerable to CacheWarp (\(cacheWarp.explanation)); `martlet host` shows what to do"
      )
    }
  }
}
