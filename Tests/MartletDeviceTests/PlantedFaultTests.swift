import MartletDevice
import MartletTensor
import MartletTestSupport
import Testing

/// Faults that are put in on purpose, to show that the checks of the other tests notice them.
@Suite(.serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)))
struct PlantedFaultTests {
  private static let rows = 3, width = 64

  /// Two RMS norms, of which the second takes what the first makes: the difference from what it should be.
  private func chain(_ checks: Device.Checks, admitsRead: Bool = true) throws -> Double {
    let bench = try Bench(checks), count = Self.rows * Self.width
    var noise = Noise(5)
    let x = noise.floats(count), weight = noise.floats(Self.width)
    let xs = try bench.put(x), weights = try bench.put(weight)
    let between = try bench.blank(count), ys = try bench.blank(count)
    func norm(_ from: DeviceRange, _ to: DeviceRange, admitsRead: Bool) -> Command {
      Command(
        Shader("norm", [64, 1, 0]), Arguments().addresses(from, to, weights, nil, nil).numbers(Self.width).float(1e-6),
        groups: (Self.rows, 1, 1), reads: admitsRead ? [.memory(from)] : [], writes: [.memory(to)])
    }
    func reference(_ x: [Double]) -> [Double] {
      (0..<Self.rows).flatMap { row in
        let values = x[row * Self.width..<(row + 1) * Self.width]
        let scale = 1 / (values.reduce(0) { $0 + $1 * $1 } / Double(Self.width) + 1e-6).squareRoot()
        return zip(values, weight).map { $0 * scale * Double($1) }
      }
    }
    try bench.device.perform([norm(xs, between, admitsRead: true), norm(between, ys, admitsRead: admitsRead)])
    #expect(try bench.arena.isIntact())
    return difference(try bench.floats(ys), reference(reference(x.map(Double.init))))
  }

  @Test func twoCommandsInARowAreRight() throws { #expect(try chain(Card.strict) < 1e-5) }

  @Test func aMissingBarrierIsNoticed() throws {
    var checks = Card.strict
    checks.droppedBarrier = 1
    #expect(try !(chain(checks) < 1e-5))
  }

  @Test func aCommandThatConcealsWhatItReadsIsNoticed() throws {
    #expect(try !(chain(Card.strict, admitsRead: false) < 1e-5))
  }

  /// A product with ones, told of so many rows and outputs, with memory for 3 rows of 8 outputs.
  private func product(rows: Int, outputs: Int) throws -> (results: [Float], isIntact: Bool) {
    let bench = try Bench()
    let ys = try bench.arena.allocate(3 * 8 * 4)
    try bench.arena.poison()
    let matrix = try DeviceMatrix(
      format: .f32, outputs: outputs, inputs: 32, arena: bench.arena, device: bench.device
    ) { _, row in
      row.bindMemory(to: Float.self, capacity: 32).update(repeating: 1, count: 32)
    }
    let xs = try bench.put([Float](repeating: 1, count: 4 * 32))
    try bench.device.perform([
      Product(matrix).command(
        rows: rows, x: .init(xs, stride: 32), y: .init(ys, stride: outputs), device: bench.device)
    ])
    return (try bench.floats(ys), try bench.arena.isIntact())
  }

  @Test func aProductOfTheRightSizeIsRight() throws {
    let (results, isIntact) = try product(rows: 3, outputs: 8)
    #expect(difference(results, [Double](repeating: 32, count: 24)) == 0)
    #expect(isIntact)
  }

  @Test func aRowTooManyIsNoticed() throws { #expect(try !product(rows: 4, outputs: 8).isIntact) }

  @Test func anOutputTooManyIsNoticed() throws { #expect(try !product(rows: 3, outputs: 9).isIntact) }

  @Test func aRowThatIsNotComputedIsNoticed() throws {
    let (results, isIntact) = try product(rows: 2, outputs: 8)
    #expect(isIntact)
    #expect(results[..<16].allSatisfy { $0 == 32 } && results[16...].allSatisfy(\.isNaN))
    #expect(!(difference(results, [Double](repeating: 32, count: 24)) < 1e-5))
  }
}
