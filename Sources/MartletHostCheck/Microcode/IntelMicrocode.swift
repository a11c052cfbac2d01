/// Reads Intel's microcode files: a sequence of updates, each with a 48-byte header and optionally a table of further
/// signatures after its data (Intel SDM volume 3, section 11.11).
///
///     header  version 0, revision 4, date 8 (BCD mmddyyyy), signature 12, checksum 16, loader 20, mask 24,
///             data size 28 (0: 2000), total size 32 (0: 2048)
///     table   count, checksum, 12 unused bytes, then count x (signature, mask, checksum)
public enum IntelMicrocode {
  /// Reads the updates of a file.
  /// - Throws: ``HostCheckError`` that names the file and the offset if the file is incomplete.
  public static func read(_ bytes: [UInt8], path: String) throws -> [InstalledMicrocode] {
    var found: [InstalledMicrocode] = [], start = 0
    while start < bytes.count {
      func field(_ offset: Int) -> UInt32? { bytes.number32(at: start + offset) }
      func damaged(_ what: String) -> HostCheckError {
        HostCheckError("\(path) is damaged at byte \(start): \(what); install the microcode package again")
      }
      guard bytes.count - start >= 48, let version = field(0), let revision = field(4), let date = field(8),
        let signature = field(12), let mask = field(24), let dataField = field(28), let totalField = field(32)
      else {
        // Containers are padded with zeros.
        if bytes[start...].allSatisfy({ $0 == 0 }) { break }
        throw damaged("a header is cut off")
      }
      if version == 0, revision == 0, dataField == 0, totalField == 0, bytes[start...].allSatisfy({ $0 == 0 }) { break }
      guard version == 1 else { throw damaged("it is not a microcode update (header version \(version))") }
      let data = dataField == 0 ? 2000 : Int(dataField)
      let total = dataField == 0 ? 2048 : Int(totalField)
      guard data % 4 == 0, total % 4 == 0, total >= data + 48, total <= bytes.count - start else {
        throw damaged("an update of \(total) bytes with \(data) of data does not fit")
      }
      guard sum(bytes, start..<start + data + 48) == 0 else { throw damaged("the checksum is wrong") }
      var owners = [(signature, mask)]
      let table = start + 48 + data, end = start + total
      if end - table >= 20, let count = bytes.number32(at: table) {
        guard Int(count) <= (end - table - 20) / 12 else { throw damaged("the table of signatures is cut off") }
        for index in 0..<Int(count) {
          guard let signature = bytes.number32(at: table + 20 + index * 12),
            let mask = bytes.number32(at: table + 24 + index * 12)
          else { break }
          owners.append((signature, mask))
        }
      }
      for (signature, mask) in owners {
        found.append(
          InstalledMicrocode(
            signature: signature, platformMask: mask, revision: revision, date: bcdDate(date), path: path))
      }
      start += total
    }
    return found
  }

  /// The name of the file for a signature, such as `06-6a-06`.
  public static func fileName(of processor: Processor) -> String? {
    guard processor.signature != nil, let family = processor.family, let model = processor.model,
      let stepping = processor.stepping
    else { return nil }
    return [family, model, stepping].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: "-")
  }

  private static func sum(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
    var total: UInt32 = 0
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: 4) {
      total &+= bytes.number32(at: offset) ?? 0
    }
    return total
  }
}
