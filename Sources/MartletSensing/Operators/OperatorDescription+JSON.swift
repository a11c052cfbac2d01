import MartletData

extension OperatorDescription {
  /// The members of a line of a file of measurements; the number of measurements is that of the list of measurements.
  var members: [(String, JSONValue)] {
    var members: [(String, JSONValue)] = [("operator", .string(kind.rawValue)), ("seed", .string(String(seed)))]
    if let blocks {
      members.append(("block", .init(integerLiteral: blocks.size)))
      members.append(("block_is_shared", .init(booleanLiteral: blocks.isShared)))
    }
    if let blur {
      switch blur.kernel {
      case .gaussian(let deviation): members.append(("gaussian_deviation", .init(floatLiteral: deviation)))
      case .box(let radius): members.append(("box_radius", .init(integerLiteral: radius)))
      }
      members.append(("border", .string(blur.border.rawValue)))
      members.append(("step", .init(integerLiteral: blur.step)))
    }
    if let matrixPath { members.append(("matrix", .string(matrixPath))) }
    if let matrixChecksum { members.append(("matrix_checksum", .string(matrixChecksum))) }
    return members
  }

  /// Reads the members of a line.
  /// - Throws: `FileError` that names the line and the key that is missing or wrong.
  init(_ line: JSONLines.Line, measurementCount: Int) throws {
    func wrong(_ keys: String) -> FileError {
      line.failure("\(keys) is missing or wrong; write the file with martlet sense measure")
    }
    guard let kind = line.value["operator"]?.string.flatMap(Kind.init) else { throw wrong("\"operator\"") }
    guard let seed = line.value["seed"]?.string.flatMap(UInt64.init) else { throw wrong("\"seed\"") }
    func size(_ key: String) throws -> Int? {
      guard let value = line.value[key] else { return nil }
      guard let number = value.integer, (1...100_000).contains(number) else { throw wrong("\"\(key)\"") }
      return number
    }
    let blocks = try size("block").map { Blocks(size: $0, isShared: line.value["block_is_shared"]?.bool ?? false) }
    var blur: Blur?
    if kind == .convolution {
      let deviation = line.value["gaussian_deviation"]?.number.map {
        ConvolutionOperator.Kernel.gaussian(deviation: $0)
      }
      guard let kernel = try deviation ?? size("box_radius").map({ .box(radius: $0) }),
        let border = line.value["border"]?.string.flatMap(ConvolutionOperator.Border.init), let step = try size("step")
      else { throw wrong("\"gaussian_deviation\", \"box_radius\", \"border\" or \"step\"") }
      blur = Blur(kernel, border: border, step: step)
    }
    let path = line.value["matrix"]?.string
    guard kind != .matrix || path != nil else { throw wrong("\"matrix\"") }
    self.init(
      kind, measurementCount: measurementCount, seed: seed, blocks: blocks, blur: blur, matrixPath: path,
      matrixChecksum: line.value["matrix_checksum"]?.string)
  }
}
