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

extension Double {
  /// With a fixed number of digits after the point.
  package func text(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }

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
