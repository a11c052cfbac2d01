/// Reads AMD's microcode containers in the format of linux-firmware: one or more of
///
///     "DMA\0", then sections of (type, size): type 0 the table of equivalences, 16 bytes an entry
///     (signature, two masks, equivalence number 16 bits, 16 unused), type 1 a patch whose header holds
///     its date (0, BCD mmddyyyy), revision (4) and the equivalence number it is for (24).
public enum AMDMicrocode {
  private static let magic: UInt32 = 0x0041_4d44

  /// Reads the entries of a container.
  /// - Throws: ``HostCheckError`` that names the file and the offset if the file is incomplete.
  public static func read(_ bytes: [UInt8], path: String) throws -> [InstalledMicrocode] {
    var found: [InstalledMicrocode] = [], start = 0
    var signatures: [UInt32: [UInt32]] = [:]
    func damaged(_ what: String) -> HostCheckError {
      HostCheckError("\(path) is damaged at byte \(start): \(what); install the microcode package again")
    }
    guard bytes.number32(at: 0) == magic else { throw damaged("it does not begin as a container of AMD's does") }
    while start < bytes.count {
      if bytes.number32(at: start) == magic {
        start += 4
        signatures = [:]
        guard bytes.number32(at: start) == 0 else { throw damaged("the table of processors is missing") }
      }
      guard let type = bytes.number32(at: start), let size = bytes.number32(at: start + 4) else {
        if bytes[start...].allSatisfy({ $0 == 0 }) { break }
        throw damaged("a section's header is cut off")
      }
      let body = start + 8
      if type == 0, size == 0, bytes[start...].allSatisfy({ $0 == 0 }) { break }
      guard Int(size) <= bytes.count - body else { throw damaged("a section of \(size) bytes does not fit") }
      switch type {
      case 0:
        for entry in stride(from: body, to: body + Int(size) - 15, by: 16) {
          guard let signature = bytes.number32(at: entry), let number = bytes.number16(at: entry + 12), signature != 0
          else { break }
          signatures[number, default: []].append(signature)
        }
      case 1:
        guard size >= 32, let date = bytes.number32(at: body), let revision = bytes.number32(at: body + 4),
          let number = bytes.number16(at: body + 24)
        else { throw damaged("a patch of \(size) bytes is shorter than its header") }
        for signature in signatures[number] ?? [] {
          found.append(
            InstalledMicrocode(
              signature: signature, platformMask: 0, revision: revision, date: bcdDate(date), path: path))
        }
      default: throw damaged("a section of unknown type \(type)")
      }
      start = body + Int(size)
    }
    return found
  }

  /// The name of the container for a family, such as `microcode_amd_fam19h.bin`.
  public static func fileName(of processor: Processor) -> String? {
    guard let family = processor.family else { return nil }
    return family < 0x15 ? "microcode_amd.bin" : "microcode_amd_fam\(String(family, radix: 16))h.bin"
  }
}
