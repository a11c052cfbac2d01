/// AMD's amd-ucode/README of linux-firmware: lines such as
///
///     Family=0x19 Model=0x01 Stepping=0x01: Patch=0x0a0011d5 Length=5568 bytes
enum FirmwareListing {
  /// - Throws: HostCheckError naming the line of a patch that its processor cannot have.
  static func read(_ text: String, name: String, date: String) throws -> [TableUpdate.Revision] {
    var found: [TableUpdate.Revision] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
    where line.contains("Patch=") {
      let place = "\(name), line \(index + 1)"
      func number(_ key: String) -> UInt32? {
        guard let start = line.firstRange(of: key + "=0x") else { return nil }
        let digits = line[start.upperBound...].prefix { $0.isHexDigit }
        return digits.count <= 8 ? UInt32(digits, radix: 16) : nil
      }
      var processor = Processor()
      (processor.family, processor.model, processor.stepping) = (number("Family"), number("Model"), number("Stepping"))
      guard let signature = processor.signature, let revision = number("Patch") else {
        throw HostCheckError("\(place): it names no family, model, stepping and patch; fetch the file again")
      }
      let entry = TableUpdate.Revision(vendor: "AMD", signature: signature, revision: revision, date: date)
      try TableUpdate.check(entry, place: place)
      found.append(entry)
    }
    return found
  }
}
