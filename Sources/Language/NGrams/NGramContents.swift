import Foundation
import Interchange
import Tensors

/// An n-gram model that has been estimated, but need not fit into memory: what is written to files.
package struct NGramContents {
  package let vocabulary: Vocabulary
  /// Whether the scores after a context sum to one; stupid backoff's don't.
  package let isNormalised: Bool
  /// D of each order, from 1, for modified Kneser–Ney; otherwise empty.
  package let discounts: [KneserNeyDiscounts]
  let tables: NGramTables

  /// What takes time; counting and estimating go from order 1 upwards.
  package enum Stage: Sendable, Equatable {
    case counting(order: Int)
    case estimating(order: Int)
  }

  init(
    vocabulary: Vocabulary, tables: NGramTables, isNormalised: Bool,
    discounts: [KneserNeyDiscounts] = []
  ) {
    self.vocabulary = vocabulary
    self.tables = tables
    self.isNormalised = isNormalised
    self.discounts = discounts
  }

  /// Counts tokens and estimates a model; orders for which the text is too short are left out.
  ///
  /// - Parameters:
  ///   - text: of which the first `count` tokens are taken.
  ///   - order: N, the longest n-gram, from 1 to ``NGramModel/largestOrder``.
  ///   - progress: gets each stage, and the fraction of it that is done.
  /// - Throws: ``NGramError``, `FileError`, and what `progress` throws.
  package init(
    training text: SpooledText, first count: Int, order: Int, smoothing: Smoothing,
    pruning: Pruning, scratch: Scratch, progress: (Stage, Double) throws -> Void
  ) throws {
    require(order <= NGramModel.largestOrder, "an order of \(order)")
    let vocabulary = text.vocabulary
    guard count > 0 else { throw NGramError.noText }
    if vocabulary.unit == .words {
      let begin = ARPASpelling.begin.withUnsafeBytes { vocabulary.index(ofWord: $0) }
      if begin != nil { throw NGramError.reservedWord("<s>") }
      if vocabulary.hasZeroByte { throw NGramError.zeroByte() }
      if vocabulary.count <= Vocabulary.specialWords.count { throw NGramError.onlyUnknownWords }
    }
    let counts = try NGramCounts(
      text.tokens, first: count, vocabularySize: vocabulary.count,
      sentenceEnd: vocabulary.unit == .words ? Vocabulary.lineEndWord : nil,
      order: max(order, 1), scratch: scratch
    ) { try progress(.counting(order: $0), $1) }
    let estimation = try NGramEstimation(
      counts, smoothing: smoothing, pruning: pruning, scratch: scratch
    ) { try progress(.estimating(order: $0), $1) }
    self.init(
      vocabulary: vocabulary, tables: estimation.tables, isNormalised: smoothing.isNormalised,
      discounts: estimation.discounts)
  }

  /// N, the longest n-gram.
  package var order: Int { tables.order }
  /// How many n-grams there are of each order, from 1; `<s>` counts among those of order 1.
  package var counts: [Int] { tables.counts }
}
