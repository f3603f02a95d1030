import Foundation
import Plots
import Testing

@Suite struct NumberTextTests {
  /// Ties between two last digits, what rounds up to one more digit, and what isn't a number, too.
  @Test(arguments: [0, 1, 2, 4, 6])
  func isWhatCWrites(digits: Int) {
    let random = (0..<20_000).map { index in
      let fraction = Double(UInt64(index) &* 0x9E37_79B9_7F4A_7C15 >> 11) / 0x1p53
      return (2 * fraction - 1) * pow(10, Double(index % 22) - 8)
    }
    let ties = (-40...40).map { Double($0) / 8 } + (0..<100).map { (Double($0) + 0.5) * 1e-6 }
    let others = [
      0, -0.0, -1e-9, 0.999_999_6, 9.999_999_9, -99.999_999_9, 1e12, 1e300, .infinity, -.infinity,
      .nan,
    ]
    for number in random + ties + others {
      #expect(number.text(digits) == String(format: "%.\(digits)f", number), "\(number)")
    }
  }
}
