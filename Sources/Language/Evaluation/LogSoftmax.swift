import Foundation

/// ln softmax of a row of logits: xᵢ − ln Σⱼ exp(xⱼ), in double precision.
struct LogSoftmax {
  private let logits: [Float]
  private let logSum: Double

  init(_ logits: [Float]) {
    self.logits = logits
    let top = Double(logits.max() ?? 0)
    logSum = top + log(logits.reduce(0) { $0 + exp(Double($1) - top) })
  }

  subscript(token: Int) -> Double { Double(logits[token]) - logSum }
}
