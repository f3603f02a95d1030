/// The words of the toy language, and the rules that they follow.
extension ToyLanguage {
  private struct Noun {
    let name: String
    let plural: String
    let weight: Double
    let adjectives: [String]
    /// What it does alone, with weights.
    let habits: [String: Double]
    /// What it does to whom, with weights.
    let actions: [String: [String: Double]]
  }

  private static let nouns = [
    Noun(
      name: "hunter", plural: "hunters", weight: 3, adjectives: ["brave", "tired"],
      habits: ["wait": 3, "run": 1],
      actions: [
        "shoot": ["fox": 6, "bird": 3], "feed": ["dog": 4], "see": ["fox": 2, "bird": 1],
      ]),
    Noun(
      name: "fox", plural: "foxes", weight: 3, adjectives: ["hungry", "quick", "red"],
      habits: ["run": 2, "sleep": 1],
      actions: [
        "chase": ["mouse": 4, "bird": 3], "eat": ["mouse": 4, "bird": 2],
        "fear": ["hunter": 2, "dog": 1],
      ]),
    Noun(
      name: "dog", plural: "dogs", weight: 2, adjectives: ["hungry", "tired"],
      habits: ["bark": 3, "sleep": 1],
      actions: ["chase": ["fox": 5, "bird": 1], "see": ["fox": 2], "fear": ["hunter": 1]]),
    Noun(
      name: "bird", plural: "birds", weight: 2, adjectives: ["small", "red"],
      habits: ["sing": 4, "sleep": 1],
      actions: ["see": ["mouse": 3], "eat": ["mouse": 2], "fear": ["fox": 3, "hunter": 1]]),
    Noun(
      name: "mouse", plural: "mice", weight: 1, adjectives: ["small", "quick"],
      habits: ["run": 2, "sleep": 1],
      actions: ["fear": ["fox": 3, "bird": 2], "see": ["dog": 1]]),
  ]

  private struct Verb {
    let forms: [Number: String]
    let past: String

    init(_ singular: String, _ plural: String, _ past: String) {
      forms = [.singular: singular, .plural: plural]
      self.past = past
    }

    var name: String { forms[.plural, default: past] }
  }

  private static let transitive = [
    Verb("sees", "see", "saw"), Verb("shoots", "shoot", "shot"), Verb("chases", "chase", "chased"),
    Verb("eats", "eat", "ate"), Verb("feeds", "feed", "fed"), Verb("fears", "fear", "feared"),
  ]
  private static let intransitive = [
    Verb("runs", "run", "ran"), Verb("sleeps", "sleep", "slept"), Verb("waits", "wait", "waited"),
    Verb("barks", "bark", "barked"), Verb("sings", "sing", "sang"),
  ]

  private enum Number: String, CaseIterable { case singular, plural }

  /// Where a noun phrase stands: relative clauses within relative clauses are rarer.
  private enum Level: String, CaseIterable {
    case main, inner

    var relativeClause: Double { self == .main ? 0.3 : 0.08 }
  }

  private static let present = 0.6
  private static let intransitivity = 0.3
  private static let adjective = 0.25
  /// How often anything at all happens, whatever the tables say: a fox may shoot a hunter.
  private static let surprise = 0.02

  private typealias Choice = (weight: Double, symbols: [String])

  static func makeGrammar() -> ProbabilisticGrammar {
    var grammar = ProbabilisticGrammar()
    grammar.add("<determiner singular>", [(0.7, ["the"]), (0.3, ["a"])])
    grammar.add("<determiner plural>", [(0.7, ["the"]), (0.3, ["some"])])
    for number in Number.allCases {
      for verb in transitive + intransitive {
        let form = verb.forms[number, default: verb.past]
        grammar.add(self.verb(verb, number), [(present, [form]), (1 - present, [verb.past])])
      }
    }
    for noun in nouns {
      let share = adjective / Double(noun.adjectives.count)
      grammar.add(
        "<\(noun.name) adjective>",
        [(1 - adjective, [])] + noun.adjectives.map { (share, [$0]) })
    }
    for level in Level.allCases {
      for noun in nouns {
        for number in Number.allCases {
          grammar.add(phrase(noun, number, level), [(1, nounPhrase(noun, number, level))])
          grammar.add(relative(noun, number, level), relativeClauses(noun, number, level))
          grammar.add(predicate(noun, number, level), predicates(noun, number, level))
        }
      }
    }
    grammar.add(
      "<sentence>",
      nouns.flatMap { noun in
        Number.allCases.map { number in
          (noun.weight, [phrase(noun, number, .main), predicate(noun, number, .main)])
        }
      })
    return grammar
  }

  // MARK: Names of phrases

  private static func verb(_ verb: Verb, _ number: Number) -> String {
    "<\(verb.name) \(number)>"
  }

  private static func phrase(_ noun: Noun, _ number: Number, _ level: Level) -> String {
    "<\(level) \(noun.name) \(number)>"
  }

  private static func relative(_ noun: Noun, _ number: Number, _ level: Level) -> String {
    "<\(level) \(noun.name) \(number) that>"
  }

  private static func predicate(_ noun: Noun, _ number: Number, _ level: Level) -> String {
    "<\(level) \(noun.name) \(number) does>"
  }

  // MARK: Rules

  private static func nounPhrase(_ noun: Noun, _ number: Number, _ level: Level) -> [String] {
    [
      "<determiner \(number)>", "<\(noun.name) adjective>",
      number == .singular ? noun.name : noun.plural, relative(noun, number, level),
    ]
  }

  /// Nothing, what the noun does, or what others do to it: half of the clauses each.
  private static func relativeClauses(
    _ noun: Noun, _ number: Number, _ level: Level
  ) -> [Choice] {
    let share = level.relativeClause / 2
    let deeds = nouns.flatMap { subject in
      transitive.map { verb in
        (subject, verb, subject.weight * probability(that: subject, does: verb, to: noun))
      }
    }
    let sum = deeds.reduce(0) { $0 + $1.2 }
    let passive: [Choice] = deeds.flatMap { subject, verb, weight in
      Number.allCases.map { n in
        (share * weight / sum / 2, ["that", phrase(subject, n, .inner), self.verb(verb, n)])
      }
    }
    let active: Choice = (share, ["that", predicate(noun, number, .inner)])
    return [(1 - level.relativeClause, []), active] + passive
  }

  private static func predicates(_ noun: Noun, _ number: Number, _ level: Level) -> [Choice] {
    let alone: [Choice] = intransitive.map { verb in
      (intransitivity * probability(that: noun, does: verb), [self.verb(verb, number)])
    }
    let together: [Choice] = transitive.flatMap { verb in
      nouns.flatMap { object in
        let weight = probability(that: noun, does: verb, to: object) * (1 - intransitivity) / 2
        return Number.allCases.map { n in
          (weight, [self.verb(verb, number), phrase(object, n, level)])
        }
      }
    }
    return alone + together
  }

  /// p(verb | subject), among verbs without an object.
  private static func probability(that subject: Noun, does verb: Verb) -> Double {
    let sum = subject.habits.values.reduce(0, +)
    return (1 - surprise) * subject.habits[verb.name, default: 0] / sum
      + surprise / Double(intransitive.count)
  }

  /// p(verb, object | subject), among verbs with an object.
  private static func probability(
    that subject: Noun, does verb: Verb, to object: Noun
  ) -> Double {
    let sum = subject.actions.values.reduce(0) { $0 + $1.values.reduce(0, +) }
    let weight = subject.actions[verb.name]?[object.name] ?? 0
    return (1 - surprise) * weight / sum + surprise / Double(transitive.count * nouns.count)
  }
}
