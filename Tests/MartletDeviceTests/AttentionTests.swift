import Foundation
import MartletDevice
import MartletTestSupport
import Testing

@Suite(.serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)))
struct AttentionTests {
  /// What shaders are compiled for, and the heads.
  private struct Kind: CustomStringConvertible {
    let size, group: Int
    let isHalf, isNormed, isInterleaved, isPartial: Bool
    var keyValueHeads: Int { 2 }
    var heads: Int { keyValueHeads * group }
    var pairs: Int { isPartial ? size / 4 : size / 2 }
    var rowWidth: Int { (heads + 2 * keyValueHeads) * size }
    var padded: Int { (size + 15) / 16 * 16 }
    /// Elements of a layer's part of a page. There are two layers, and the second is the one that is run.
    var layerCount: Int { keyValueHeads * 2 * 64 * padded }
    var layerOffset: Int { layerCount }
    var pageCount: Int { 2 * layerCount }
    var scale: Double { 1 / Double(size).squareRoot() }
    var description: String {
      "head size \(size), \(group) queries a key, \(isHalf ? "halves" : "floats")\(isNormed ? ", normed" : "")"
        + "\(isInterleaved ? ", interleaved" : "")\(isPartial ? ", partly turned" : "")"
    }

    /// Where pages keep a key or a value, written from the layout of the processor's cache.
    func keyPlace(_ head: Int, _ position: Int, _ d: Int) -> Int {
      layerOffset + head * 2 * 64 * padded + position / 16 * (16 * padded) + d * 16 + position % 16
    }
    func valuePlace(_ head: Int, _ position: Int, _ d: Int) -> Int {
      layerOffset + head * 2 * 64 * padded + 64 * padded + position * padded + d
    }
  }

  private static let epsilon = 1e-3

  /// Sequences that begin, continue in the middle of a page, reach its end, begin the next, and have several pages.
  private static let starts = [63, 0, 130, 5, 0, 64]
  private static let batch = Ragged(counts: [2, 3, 3, 1, 70, 1])
  private static let positions = zip(batch.sequenceOfRow, batch.placeOfRow).map { starts[$0] + $1 }

  /// A head of a query or a key: normalised, and turned by its position.
  private static func turned(
    _ head: ArraySlice<Float>, _ kind: Kind, norm: [Float], cosines: ArraySlice<Float>, sines: ArraySlice<Float>
  ) -> [Double] {
    var values = head.map(Double.init)
    if kind.isNormed {
      let scale = 1 / (values.reduce(0) { $0 + $1 * $1 } / Double(kind.size) + epsilon).squareRoot()
      values = zip(values, norm).map { $0 * scale * Double($1) }
    }
    for (pair, (cosine, sine)) in zip(cosines, sines).enumerated() {
      let first = kind.isInterleaved ? 2 * pair : pair, second = kind.isInterleaved ? first + 1 : pair + kind.pairs
      let (a, b, c, s) = (values[first], values[second], Double(cosine), Double(sine))
      values[first] = a * c - b * s
      values[second] = b * c + a * s
    }
    return values
  }

  /// The pages of all sequences: what they held, and where they lie.
  private struct Pages {
    let kind: Kind
    /// The places in memory of each sequence's pages.
    let places: [[Int]]
    var contents: [[Float]]
    let ranges: [DeviceRange]
    let stride: Int
    let tables: DeviceRange

    init(_ kind: Kind, _ bench: Bench, noise: inout Noise) throws {
      self.kind = kind
      let counts = zip(starts, batch.counts).map { ($0 + $1 + 63) / 64 }, total = counts.reduce(0, +)
      // Pages that follow each other lie apart. One more is what tables lead to where a sequence has no page.
      let order = (0..<total).map { ($0 * 7 + 3) % total }
      precondition(Set(order).count == total, "\(total) pages")
      let firsts = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
      places = counts.indices.map { Array(order[firsts[$0]..<firsts[$0 + 1]]) }
      // What was never written is not a number, so that reading it shows; so is the padding of earlier positions.
      contents = [[Float]](repeating: [Float](repeating: .nan, count: kind.pageCount), count: total + 1)
      for (sequence, start) in starts.enumerated() {
        for position in 0..<start {
          for head in 0..<kind.keyValueHeads {
            let page = places[sequence][position / 64], values = noise.floats(2 * kind.size)
            for d in 0..<kind.size {
              contents[page][kind.keyPlace(head, position % 64, d)] = Float(Float16(values[d]))
              contents[page][kind.valuePlace(head, position % 64, d)] = Float(Float16(values[kind.size + d]))
            }
          }
        }
      }
      ranges = try contents.map { kind.isHalf ? try bench.put($0.map(Float16.init)) : try bench.put($0) }
      stride = (counts.max() ?? 0) + 1
      let (ranges, stride) = (ranges, stride)
      tables = try bench.put(
        places.flatMap { table in
          (0..<stride).map { ranges[$0 < table.count ? table[$0] : total].address }
        })
    }

    func download(_ bench: Bench) throws -> [[Float]] {
      try ranges.map {
        kind.isHalf
          ? try bench.device.download($0, as: Float16.self).map(Float.init)
          : try bench.device.download($0, as: Float.self)
      }
    }
  }

  /// Every size, group and type; what is left is spread over them so that each meets each.
  private static var kinds: [Kind] {
    var kinds: [Kind] = []
    for (s, size) in [8, 20, 64, 128].enumerated() {
      for (g, group) in [1, 3, 4].enumerated() {
        for half in [0, 1] {
          kinds.append(
            Kind(
              size: size, group: group, isHalf: half == 1, isNormed: (s + g + half) % 2 == 0,
              isInterleaved: (s / 2 + g) % 2 == 0, isPartial: (s + g / 2) % 2 == half))
        }
      }
    }
    // Large groups, and the largest heads, whose tiles have 256 threads and fewer queries.
    for (size, group, half) in [(64, 8, true), (128, 8, false), (256, 3, true)] {
      kinds.append(
        Kind(size: size, group: group, isHalf: half, isNormed: true, isInterleaved: false, isPartial: false))
    }
    return kinds
  }

  /// The same rows in tiles: the largest there are, the same with parts of the pages, or small ones in two dispatches. Kinds take turns.
  private struct Tiled: CustomStringConvertible {
    let kind: Kind, parts: Int, rows: Int, isParted: Bool, isSplit: Bool

    init(_ kind: Kind, parts: Int) {
      let turn = (kind.size / 4 + kind.group + (kind.isHalf ? 1 : 0)) % 3,
        most = (kind.size > 128 ? 16 : 32) / kind.group
      self.kind = kind
      self.parts = parts
      isParted = turn == 1
      isSplit = turn == 2
      rows = isSplit ? min(most, 4) : most
    }
    var description: String { "tiles of \(rows) rows\(isParted ? ", parted" : "")\(isSplit ? ", two dispatches" : "")" }

    func commands(
      y: DeviceRange, found: DeviceRange, reads: [Resource],
      arguments: (_ y: DeviceRange, _ firstTile: Int) -> Arguments
    ) -> [Command] {
      let threads: UInt32 = kind.size > 128 ? 256 : 128
      let shader = Shader(
        "attention_tile",
        [threads, UInt32(kind.size), kind.isHalf ? 1 : 0, UInt32(kind.group), UInt32(rows), isParted ? 1 : 0])
      let tiles = batch.rows / rows + batch.counts.count, first = isSplit ? tiles / 3 : 0
      let commands = [0..<first, first..<tiles].filter { !$0.isEmpty }.map { range in
        Command(
          shader, arguments(y, range.lowerBound), groups: (kind.keyValueHeads, range.count, isParted ? parts : 1),
          reads: reads, writes: [.memory(isParted ? found : y)])
      }
      return isParted ? commands + [join(y: y, found: found)] : commands
    }

    func join(y: DeviceRange, found: DeviceRange) -> Command {
      Command(
        Shader("attention_join", [32, UInt32(kind.size)]),
        Arguments().addresses(found, y).numbers(kind.heads, parts), groups: (kind.heads, batch.rows, 1),
        reads: [.memory(found)], writes: [.memory(y)])
    }
  }

  @Test func attentionOverPagesAgreesWithDoublePrecision() throws {
    for kind in Self.kinds { try check(kind) }
  }

  @Test func scoresFarApartStayInRange() throws {
    // Hundreds apart, within a page and between pages: exponentials of what is not compared with the largest so far overflow.
    for group in [1, 4] {
      let kind = Kind(size: 64, group: group, isHalf: false, isNormed: true, isInterleaved: false, isPartial: false)
      try check(kind, sharpness: 200, tolerance: 1e-3)
    }
  }

  private func check(_ kind: Kind, sharpness: Double = 1, tolerance: Double = 1e-5) throws {
    let bench = try Bench()
    var noise = Noise(UInt64(kind.size * 8 + kind.group * 2 + (kind.isHalf ? 1 : 0)))
    let batch = Self.batch, rows = batch.rows, size = kind.size, heads = kind.heads
    let pages = try Pages(kind, bench, noise: &noise)
    let products = noise.floats(rows * kind.rowWidth)
    let angles = noise.floats(rows * kind.pairs).map { $0 * 3 }
    let cosines = angles.map { cos($0) }, sines = angles.map { sin($0) }
    let queryNorm = noise.floats(size).map { $0 + 1.5 }, keyNorm = noise.floats(size).map { $0 + 1.5 }
    let scale = kind.scale * sharpness
    let inputs = try bench.put(products), ys = try bench.blank(rows * heads * size)
    let sequenceOfRow = try bench.put(batch.sequenceOfRow.words), positions = try bench.put(Self.positions.words)
    let firstRows = try bench.put(batch.firstRows.words)
    let elementSize = kind.isHalf ? 2 : 4
    let part = Resource.states(kind.layerOffset * elementSize..<(kind.layerOffset + kind.layerCount) * elementSize)
    let half: UInt32 = kind.isHalf ? 1 : 0, threads = UInt32((max(64, size) + 63) / 64 * 64)
    let store = Arguments().addresses(
      inputs, try bench.put(cosines), try bench.put(sines), kind.isNormed ? try bench.put(queryNorm) : nil,
      kind.isNormed ? try bench.put(keyNorm) : nil, pages.tables, sequenceOfRow, positions
    ).numbers(heads, kind.keyValueHeads, kind.pairs, pages.stride, kind.layerOffset).float(Self.epsilon)
    // Once as a whole, and once with a workgroup for each two pages: row by row, and in tiles.
    let parts = (pages.stride + 1) / 2, joined = try bench.blank(rows * heads * size)
    let found = try bench.blank(rows * parts * heads * (size + 2))
    let attend = Arguments().addresses(inputs, ys, pages.tables, sequenceOfRow, positions, found).numbers(
      heads, kind.keyValueHeads, pages.stride, kind.layerOffset, 2
    ).float(scale)
    let tiled = Tiled(kind, parts: parts), tiledY = try bench.blank(rows * heads * size)
    let tileFound = try bench.blank(rows * parts * heads * (size + 2))
    let tileCommands = tiled.commands(y: tiledY, found: tileFound, reads: [.memory(inputs), part]) { y, first in
      Arguments().addresses(inputs, y, pages.tables, firstRows, positions, tileFound).numbers(
        heads, kind.keyValueHeads, pages.stride, kind.layerOffset, 2, batch.counts.count, first
      ).float(scale)
    }
    try bench.device.perform(
      [
        Command(
          Shader("rotary_store", [32, UInt32(size), half, kind.isNormed ? 1 : 0, kind.isInterleaved ? 1 : 0]), store,
          groups: (heads + 2 * kind.keyValueHeads, rows, 1), reads: [.memory(inputs)], writes: [.memory(inputs), part]),
        Command(
          Shader("attention", [threads, UInt32(size), half, UInt32(kind.group)]), attend,
          groups: (kind.keyValueHeads, rows, 1), reads: [.memory(inputs), part], writes: [.memory(ys)]),
        Command(
          Shader("attention", [threads, UInt32(size), half, UInt32(kind.group), 1]), attend,
          groups: (kind.keyValueHeads, rows, parts), reads: [.memory(inputs), part], writes: [.memory(found)]),
        tiled.join(y: joined, found: found),
      ] + tileCommands)

    // Queries are turned where they are; keys and values stay as they were.
    func turned(_ row: Int, _ head: Int) -> [Double] {
      let from = row * kind.rowWidth + head * size, turn = row * kind.pairs..<(row + 1) * kind.pairs
      return Self.turned(
        products[from..<from + size], kind, norm: head < heads ? queryNorm : keyNorm, cosines: cosines[turn],
        sines: sines[turn])
    }
    let queries = (0..<rows).map { row in (0..<heads).map { turned(row, $0) } }
    var left = products.map(Double.init)
    for row in 0..<rows {
      let from = row * kind.rowWidth
      left.replaceSubrange(from..<from + heads * size, with: queries[row].flatMap { $0 })
    }
    #expect(difference(try bench.floats(inputs), left) < 1e-5, "queries: \(kind)")

    let after = try pages.download(bench)
    check(after, pages, products: products) { turned($0, heads + $1) }

    // Keys and values as they are in the pages, which have just been checked: rounded where they are rounded.
    var wanted: [Double] = []
    for row in 0..<rows {
      let table = pages.places[batch.sequenceOfRow[row]], position = Self.positions[row]
      for head in 0..<heads {
        let query = queries[row][head], group = head / kind.group
        let scores = (0...position).map { p -> Double in
          let page = after[table[p / 64]]
          return (0..<size).reduce(0) { $0 + query[$1] * Double(page[kind.keyPlace(group, p % 64, $1)]) } * scale
        }
        let largest = scores.max() ?? 0, weights = scores.map { exp($0 - largest) }, total = weights.reduce(0, +)
        var sums = [Double](repeating: 0, count: size)
        for p in 0...position {
          for d in 0..<size { sums[d] += weights[p] * Double(after[table[p / 64]][kind.valuePlace(group, p % 64, d)]) }
        }
        wanted += sums.map { $0 / total }
      }
    }
    #expect(difference(try bench.floats(ys), wanted) < tolerance, "attention: \(kind)")
    #expect(difference(try bench.floats(joined), wanted) < tolerance, "attention in parts: \(kind)")
    #expect(difference(try bench.floats(tiledY), wanted) < tolerance, "attention, \(tiled): \(kind)")
    #expect(try bench.arena.isIntact(), "\(kind)")
  }

  /// Checks the places of new keys and values and the padding behind them, and that all else is as it was.
  private func check(
    _ after: [[Float]], _ pages: Pages, products: [Float], key: (_ row: Int, _ head: Int) -> [Double]
  ) {
    let kind = pages.kind, size = kind.size
    var untouched = pages.contents, worst = 0.0, paddingIsZero = true
    for row in 0..<Self.batch.rows {
      let place = Self.positions[row] % 64, page = pages.places[Self.batch.sequenceOfRow[row]][Self.positions[row] / 64]
      for head in 0..<kind.keyValueHeads {
        let exactKey = key(row, head)
        let from = row * kind.rowWidth + (kind.heads + kind.keyValueHeads + head) * size
        for d in 0..<kind.padded {
          let keyPlace = kind.keyPlace(head, place, d), valuePlace = kind.valuePlace(head, place, d)
          untouched[page][keyPlace] = after[page][keyPlace]
          untouched[page][valuePlace] = after[page][valuePlace]
          if d >= size {
            paddingIsZero = paddingIsZero && after[page][keyPlace] == 0 && after[page][valuePlace] == 0
            continue
          }
          for (got, exact) in [
            (after[page][keyPlace], exactKey[d]), (after[page][valuePlace], Double(products[from + d])),
          ] {
            // A driver may cut what does not fit into a half, and what is too small for a normal number may become zero.
            let rounding = kind.isHalf ? max(abs(exact) * 0x1p-10, 0x1p-14) : 0
            let beyond = abs(Double(got) - exact) - rounding
            worst = beyond.isNaN ? .infinity : max(worst, beyond)
          }
        }
      }
    }
    #expect(worst < 1e-5, "keys and values in the pages: \(kind)")
    #expect(paddingIsZero, "padding: \(kind)")
    let isUntouched = zip(untouched, after).allSatisfy {
      zip($0, $1).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
    }
    #expect(isUntouched, "the rest of the pages: \(kind)")
  }
}
