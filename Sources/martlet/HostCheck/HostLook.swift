import ArgumentParser
import Foundation
import MartletHostCheck

/// One look at a machine, and how it is shown.
struct HostLook {
  /// Ways to show it to machines.
  enum Format: String, CaseIterable {
    case json, prometheus, nagios, sarif
  }

  var root: String?
  var input: String?
  var report: String?
  var certificates: [String] = []
  var nonce: [UInt8]?
  var explains = false
  var isStrict = false
  /// nil for people.
  var format: Format?

  /// - Throws: HostCheckError naming the file that cannot be read.
  func look() throws -> HostReport {
    var facts: HostFacts?
    var reportFile: (name: String, bytes: [UInt8])?
    if let input {
      let (name, bytes) = (input == "-" ? "standard input" : input, try HostReader.bytes(of: input))
      if AttestationReport.isPlausible(bytes) {
        reportFile = (name, bytes)
      } else {
        facts = try HostReader.read(cpuinfo: bytes, name: name)
      }
    }
    if let report { reportFile = (report, try HostReader.bytes(of: report)) }
    if facts == nil, reportFile == nil || root != nil { facts = try HostReader.read(root: root) }
    if let reportFile {
      // A report of this very guest is judged with what else can be seen of it.
      if facts == nil, let live = try? HostReader.read(), live.guestEncryption == .snp { facts = live }
      let report = try AttestationReport(reportFile.bytes, name: reportFile.name)
      let certificates = try certificates.map { (name: $0, bytes: try HostReader.bytes(of: $0)) }
      let proof = try ReportVerification.facts(report, certificates: certificates, nonce: nonce)
      facts = HostReader.read(proof, guest: facts, name: reportFile.name)
    }
    guard let facts else { throw HostCheckError("there is nothing to judge") }
    let verdict = HostVerdict(facts)
    return HostReport(
      isStrict ? verdict.strict : verdict, toolVersion: Martlet.configuration.version, isRoot: geteuid() == 0)
  }

  func show(_ report: HostReport) {
    switch format {
    case nil: Terminal.write(HostText(report: report, explains: explains).text)
    case .json: print(report.json(explains: explains).json)
    case .prometheus: Terminal.write(report.prometheus)
    case .nagios: print(report.nagios)
    case .sarif: print(report.sarif.json)
    }
  }

  /// What monitoring systems call every minute: `martlet host`, alone or with one of the plain ways to show it. Read here,
  /// it takes a fifth less time than by the argument parser.
  /// - Returns: nil for any other command line.
  init?(plain arguments: [String]) {
    guard arguments.first == "host", arguments.count <= 2 else { return nil }
    switch arguments.dropFirst().first {
    case nil: break
    case "--json": format = .json
    case "--explain": explains = true
    case "--strict": isStrict = true
    default: return nil
    }
  }

  init() {}

  /// Looks once.
  /// - Returns: the exit code.
  func run() -> Int32 {
    StandardOutput.setFailureCode(74)
    do {
      let report = try look()
      show(report)
      return Int32(report.verdict.exitCode)
    } catch {
      return Self.refuse(error)
    }
  }

  /// Says why there is nothing to judge.
  /// - Returns: the exit code.
  static func refuse(_ error: any Error) -> Int32 {
    Terminal.note("Error: \(error)")
    return 65
  }
}
