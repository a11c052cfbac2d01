import Foundation

/// A scale of a chart with ticks at round numbers: 1, 2 and 5 times powers of ten.
struct ChartAxis: Sendable {
  struct Tick: Sendable {
    let value: Double
    let label: String
  }

  let isLogarithmic: Bool
  let ticks: [Tick]
  /// The ends of the scale, logarithms where it is logarithmic.
  private let low: Double
  private let high: Double

  /// - Parameters:
  ///   - values: finite, and positive on a logarithmic scale.
  ///   - most: ticks at about which the scale is full.
  ///   - isPadded: the scale ends at ticks, instead of at the values.
  init(_ values: [Double], isLogarithmic: Bool, most: Int, isPadded: Bool) {
    self.isLogarithmic = isLogarithmic
    // Sums and differences must stay numbers.
    let values = values.map { min(max($0, -1e300), 1e300) }
    let first = values.min() ?? 0, last = values.max() ?? 1
    let decades = isLogarithmic ? log10(last) - log10(first) : 0
    if isLogarithmic, decades >= 1 {
      let bottom = log10(first).rounded(.down), top = log10(last).rounded(.up)
      let every = max(1, ((top - bottom) / Double(most)).rounded(.up))
      let parts: [Double] = decades <= 2.5 ? [1, 2, 5] : [1]
      var found: [Double] = []
      for power in stride(from: bottom, through: top, by: every) { found += parts.map { $0 * pow(10, power) } }
      low = isPadded ? bottom : log10(first)
      high = isPadded ? top : log10(last)
      // Each number is as exact as its own size asks for.
      ticks = Self.inside(found, pow(10, low), pow(10, high)).map {
        Tick(value: $0, label: Self.label($0, step: pow(10, log10($0).rounded(.down))))
      }
      return
    }
    // One value stands in the middle of a span of its own size.
    let room = first == last ? max(abs(first) * 0.2, first == 0 ? 1 : 0) : 0
    let bottom = first - room, top = last + room
    let step = Self.roundStep((top - bottom) / Double(max(1, most - 1)))
    let start = (bottom / step).rounded(.down), end = (top / step).rounded(.up)
    let found = stride(from: start, through: min(end, start + 50), by: 1).map { $0 * step }
    let hasPositive = !isLogarithmic || start > 0
    let from = isPadded && hasPositive ? start * step : bottom
    let to = isPadded ? end * step : top
    low = isLogarithmic ? log10(from) : from
    high = isLogarithmic ? log10(to) : to
    let inside = Self.inside(found, from, to)
    ticks = inside.map { Tick(value: $0, label: Self.label($0, step: step)) }
  }

  /// Where a value stands, from 0 to 1.
  func place(_ value: Double) -> Double {
    let value = min(max(value, -1e300), 1e300)
    let at = isLogarithmic ? log10(value) : value
    return high > low ? min(max((at - low) / (high - low), 0), 1) : 0.5
  }

  private static func inside(_ values: [Double], _ low: Double, _ high: Double) -> [Double] {
    let slack = (high - low) * 1e-6
    return values.filter { $0 >= low - slack && $0 <= high + slack }
  }

  /// The smallest of 1, 2 and 5 times a power of ten that is not below `size`.
  static func roundStep(_ size: Double) -> Double {
    guard size > 0, size.isFinite else { return 1 }
    let power = pow(10, log10(size).rounded(.down))
    guard power > 0 else { return size }
    return ([1, 2, 5].first { $0 * power >= size * 0.999_999 } ?? 10) * power
  }

  /// A number as short as the steps between ticks allow.
  static func label(_ value: Double, step: Double) -> String {
    let size = abs(value)
    if size <= step * 1e-9 || size == 0 { return "0" }
    if size >= 1e15 || size < 1e-4 { return short(String(format: "%.1e", value)) }
    for (limit, unit) in [(1e9, "G"), (1e6, "M"), (1e4, "k")] where size >= limit {
      let scale = limit == 1e4 ? 1e3 : limit
      return decimals(value / scale, step: step / scale) + unit
    }
    return decimals(value, step: step)
  }

  private static func decimals(_ value: Double, step: Double) -> String {
    let places = step > 0 ? min(max(-log10(step * 1.000_001).rounded(.down), 0), 8) : 2
    return String(format: "%.*f", Int(places), value)
  }

  /// `1.0e-05` as `1e-5`.
  private static func short(_ text: String) -> String {
    text.replacing(".0e", with: "e").replacing("e-0", with: "e-").replacing("e+0", with: "e").replacing("e+", with: "e")
  }
}
