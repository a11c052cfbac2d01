import ArgumentParser
import Foundation
import MartletHostCheck

extension HostLook.Format: EnumerableFlag {
  static func help(for value: HostLook.Format) -> ArgumentHelp? {
    switch value {
    case .json: "Print one JSON object (Docs/host-report.schema.json)."
    case .prometheus: "Print gauges in Prometheus' text format."
    case .nagios: "Print a line for Nagios, and one line for each flaw."
    case .sarif: "Print a SARIF 2.1.0 log."
    }
  }
}

struct HostCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host",
    abstract: "Checks whether this machine is vulnerable to Reptar or CacheWarp.",
    discussion: """
      No register of the processor reports Reptar (CVE-2023-23583, Intel) or CacheWarp (CVE-2023-20592, AMD SEV): the \
      verdict compares processor and microcode with dated tables. A virtual machine often shows an invented revision; \
      then the verdict is "unknown". Root is not needed; the output says what root could add.

      An SEV-SNP guest can prove the state of its host with a signed report: --report, --certificate and --nonce. \
      Checking signatures needs a build of Martlet with `--traits Attestation`.

      Example: martlet host
      Example: martlet host --explain
      Example: ssh server cat /proc/cpuinfo | martlet host --input -

      The tables are part of Martlet; --update-tables adds what Intel and AMD have published since and writes it to \
      MARTLET_HOME/host.

      Exit codes: 0 fine, 1 warning, 2 vulnerable, 3 unknown, 64 the command was not understood, 65 a file could not \
      be read, 74 the output could not be written.
      """)

  @Option(help: "Folder with a copy of another machine's /proc and /sys (and /dev, /etc/os-release, dmesg).")
  var root: String?
  @Option(help: "A /proc/cpuinfo or attestation report of another machine; - is standard input.") var input: String?
  @Option(help: "An SEV-SNP attestation report, 1184 bytes.") var report: String?
  @Option(
    help: "Certificates of the report (VCEK or VLEK and AMD's certificates above it), PEM or DER; may be repeated.")
  var certificate: [String] = []
  @Option(help: "The nonce that was put into the report, in hexadecimal.") var nonce: String?
  @Flag(help: "Show the rows of the tables on which the verdict rests, and their sources.") var explain = false
  @Flag(help: "Treat verdicts of low confidence as unknown.") var strict = false
  @Option(help: "Repeat the check at this interval in seconds and report what changed.") var watch: Int?
  @Flag var format: HostLook.Format?
  @Flag(help: "Show every row of the tables with its sources, without checking a machine.") var tables = false

  @Option(
    help: ArgumentHelp(
      "Add a newer list of Intel or AMD to the tables: releasenote.md, microcode files or their folder, the affected-processor list (CSV), amd-ucode/README.",
      valueName: "file"))
  var updateTables: String?

  func validate() throws {
    if updateTables != nil, root != nil || input != nil || report != nil || watch != nil || tables {
      throw ValidationError("--update-tables can be combined with --json only; check a machine in another call")
    }
    if root != nil, input != nil { throw ValidationError("give either --root or --input") }
    if let watch, watch < 1 { throw ValidationError("--watch must be at least 1") }
    if watch != nil, input == "-" { throw ValidationError("--watch cannot read standard input again") }
    if let nonce, Self.bytes(hexadecimal: nonce)?.contains(where: { $0 != 0 }) == false {
      throw ValidationError("a --nonce of zeros proves nothing, because a report without a nonce holds zeros too")
    }
    if let nonce, Self.bytes(hexadecimal: nonce) == nil {
      throw ValidationError("--nonce must be 2 to 128 hexadecimal digits, an even number of them")
    }
  }

  func run() async throws {
    StandardOutput.setFailureCode(74)
    if tables { return printTables() }
    if let updateTables {
      do { return try TableUpdating(path: updateTables, json: format == .json).run() } catch let error as HostCheckError
      {
        throw ExitCode(HostLook.refuse(error))
      }
    }
    var look = HostLook()
    look.root = root
    look.input = input
    look.report = report
    look.certificates = certificate
    look.nonce = nonce.flatMap(Self.bytes(hexadecimal:))
    look.explains = explain
    look.isStrict = strict
    look.format = format
    guard let watch else { throw ExitCode(look.run()) }
    Terminal.catchInterrupts()
    do {
      var report = try look.look()
      look.show(report)
      while !Terminal.isInterrupted {
        try? await Task.sleep(for: .milliseconds(200))
        guard Date().timeIntervalSince(report.time) >= Double(watch) else { continue }
        let next = try look.look()
        if next.verdict.findings != report.verdict.findings { look.show(next) }
        report = next
      }
      throw ExitCode(Int32(report.verdict.exitCode))
    } catch let error as HostCheckError {
      throw ExitCode(HostLook.refuse(error))
    }
  }

  private func printTables() {
    for citation in HostVerdict.allCitations {
      if format == .json {
        print(citation.json.json)
      } else {
        print("\(citation.table) \(citation.row)")
        for source in citation.sources { print(Terminal.dim("    \(citation.date)  \(source)")) }
      }
    }
  }

  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard (2...128).contains(digits.count), digits.count % 2 == 0,
      digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit })
    else { return nil }
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }
}
