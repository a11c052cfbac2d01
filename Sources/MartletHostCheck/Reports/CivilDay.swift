/// A day of the Gregorian calendar. Foundation's calendar would take longer than the whole check to start.
struct CivilDay {
  var year: Int, month: Int, day: Int

  init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// year-month-day in digits; nil for a day that is in no calendar.
  init?(text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == [4, 2, 2], let year = Int(parts[0]), let month = Int(parts[1]),
      let day = Int(parts[2]), year >= 1970
    else { return nil }
    self.init(year: year, month: month, day: day)
    let same = CivilDay(sinceEpoch: sinceEpoch)
    guard (1...12).contains(month), (same.year, same.month, same.day) == (year, month, day) else { return nil }
  }

  /// year-month-day in digits.
  var text: String {
    func padded(_ value: Int, _ count: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }

  /// Days since 1970-01-01. Years begin in March here, so that a leap day is their last.
  var sinceEpoch: Int {
    let (year, month) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
  }

  /// The inverse, from 1970 on (Hinnant, chrono-compatible low-level date algorithms).
  init(sinceEpoch days: Int) {
    let days = days + 719_468, era = days / 146_097, dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * march + 2) / 5 + 1
    month = march < 10 ? march + 3 : march - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}
