import Foundation
import Tensors

/// A probabilistic context-free grammar: each phrase is rewritten by one of its rules.
///
/// Phrases are added before those that begin with them, so none is left-recursive, and recognising
/// can proceed without recursion. Rules may mention phrases that are added later.
package struct ProbabilisticGrammar: Sendable {
  package enum Symbol: Sendable, Equatable {
    case word(Int)
    case phrase(Int)
  }

  struct Rule: Sendable {
    let probability: Double
    /// ln p.
    let logProbability: Double
    let symbols: [Symbol]
  }

  /// The words of the language, in the order in which rules mention them.
  private(set) var words: [String] = []
  private(set) var wordNumbers: [String: Int] = [:]
  /// The rules of each phrase.
  private(set) var rules: [[Rule]] = []
  private var phraseNumbers: [String: Int] = [:]
  /// Phrases in the order in which they were added.
  private(set) var order: [Int] = []

  package init() {}

  /// Adds a phrase and what it may become, each with a weight; an empty list of symbols is the
  /// empty string. Names in `<…>` are phrases, everything else is a word.
  package mutating func add(_ name: String, _ choices: [(weight: Double, symbols: [String])]) {
    let phrase = number(ofPhrase: name)
    require(!order.contains(phrase), "\(name) is added twice")
    require(choices.allSatisfy { $0.weight > 0 }, "\(name) has a choice without weight")
    let sum = choices.reduce(0) { $0 + $1.weight }
    rules[phrase] = choices.map { choice in
      let symbols = choice.symbols.map { symbol(named: $0) }
      if case .phrase(let first) = symbols.first {
        require(order.contains(first), "\(name) begins with a phrase that isn't added yet")
      }
      let probability = choice.weight / sum
      return Rule(
        probability: probability, logProbability: log(probability), symbols: symbols)
    }
    order.append(phrase)
  }

  package func phrase(named name: String) -> Int {
    guard let number = phraseNumbers[name], order.count == rules.count else {
      preconditionFailure("\(name) or a phrase that it mentions isn't added")
    }
    return number
  }

  private mutating func symbol(named name: String) -> Symbol {
    if name.hasPrefix("<") { return .phrase(number(ofPhrase: name)) }
    if let number = wordNumbers[name] { return .word(number) }
    wordNumbers[name] = words.count
    words.append(name)
    return .word(words.count - 1)
  }

  private mutating func number(ofPhrase name: String) -> Int {
    if let number = phraseNumbers[name] { return number }
    phraseNumbers[name] = rules.count
    rules.append([])
    return rules.count - 1
  }

  // MARK: Sampling

  /// Draws a sentence, and the log-probability in nats of the rules that made it.
  package func sample(
    _ start: Int, using generator: inout some RandomNumberGenerator
  ) -> (words: [String], logProbability: Double) {
    var sentence: [String] = []
    var logProbability = 0.0
    var stack = [Symbol.phrase(start)]
    while let symbol = stack.popLast() {
      switch symbol {
      case .word(let word): sentence.append(words[word])
      case .phrase(let phrase):
        let rule = choose(among: rules[phrase], using: &generator)
        logProbability += rule.logProbability
        stack.append(contentsOf: rule.symbols.reversed())
      }
    }
    return (sentence, logProbability)
  }

  private func choose(
    among rules: [Rule], using generator: inout some RandomNumberGenerator
  ) -> Rule {
    // 53 random bits, spelled out so that a generator gives the same text with every library.
    var left = Double(generator.next() >> 11) * 0x1p-53
    for rule in rules.dropLast() {
      left -= rule.probability
      if left < 0 { return rule }
    }
    return rules[rules.count - 1]
  }
}
