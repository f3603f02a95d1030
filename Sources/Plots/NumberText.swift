import Foundation

extension Int {
  /// 1234567 as "1,234,567".
  package var grouped: String {
    var text = ""
    for (index, digit) in String(magnitude).reversed().enumerated() {
      if index > 0, index.isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return (self < 0 ? "-" : "") + String(text.reversed())
  }
}

extension [UInt8] {
  /// Appends a number with a fixed number of digits after the point, as C's `%.6f`, only faster: a
  /// table may have millions of them.
  package mutating func append(_ number: Double, digits: Int) {
    let scaled = abs(number) * (digits == 6 ? 1e6 : pow(10, Double(digits)))
    let whole = scaled.rounded()
    // What is too large, no number, or so near to the middle between two that exact arithmetic
    // decides, is left to C.
    guard digits > 0, scaled < 1e12, abs(abs(scaled - whole) - 0.5) > 1e-3 else {
      return append(contentsOf: String(format: "%.\(digits)f", number).utf8)
    }
    // From the last digit to the first: at most 13 digits and zeros, the point and the sign.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16 + digits) { room in
      var (begin, rest, place) = (room.count, UInt64(whole), 0)
      func write(_ byte: UInt8) {
        begin -= 1
        room[begin] = byte
      }
      repeat {
        if place == digits { write(UInt8(ascii: ".")) }
        let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
        write(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
        (rest, place) = (quotient, place + 1)
      } while place <= digits || rest > 0
      if number.sign == .minus { write(UInt8(ascii: "-")) }
      append(contentsOf: UnsafeBufferPointer(rebasing: room[begin...]))
    }
  }
}

extension Double {
  /// With a fixed number of digits after the point.
  package func text(_ digits: Int) -> String {
    var bytes: [UInt8] = []
    bytes.append(self, digits: digits)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Seconds as "45 s", "2 min 05 s" or "1 h 20 min".
  package var durationText: String {
    guard isFinite, self < 1e9 else { return "a long time" }
    let seconds = Int(rounded())
    return seconds < 60
      ? "\(seconds) s"
      : seconds < 3600
        ? "\(seconds / 60) min \(String(format: "%02d", seconds % 60)) s"
        : "\(seconds / 3600) h \(String(format: "%02d", seconds / 60 % 60)) min"
  }
}

extension Double {
  /// With about five digits that count: "1.4398", "25.914", "40,004", "8.50·10⁻⁷".
  package var brief: String {
    guard isFinite else { return isNaN ? "undefined" : self < 0 ? "−∞" : "∞" }
    let size = abs(self)
    if self == rounded(), size < 1e9 { return Ticks.plain(self, decimals: 0) }
    if size >= 1e9 || size < 1e-2 {
      let power = Int(floor(log10(size)))
      return (self / pow(10, Double(power))).text(2) + "·10" + Ticks.superscript(power)
    }
    return Ticks.plain(self, decimals: max(0, 4 - Int(floor(log10(size)))))
  }
}
