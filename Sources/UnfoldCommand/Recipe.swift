import Foundation
import Interchange
import Language

/// A full setting of a training under a name, or in a file of one's own: a JSON object whose keys
/// are the long names of options of `unfold train`, without dashes. A flag is true or false; `about`
/// says what the recipe is for.
///
///     { "about": "words of short texts", "tokens": "words", "layers": 1, "tie": true }
struct Recipe {
  let name: String
  /// What it is for.
  let about: String
  private let json: String

  init(_ name: String, about: String, _ json: String) {
    self.name = name
    self.about = about
    self.json = json
  }

  /// The names of those that come with the command.
  static var names: String { shipped.map(\.name).joined(separator: ", ") }

  /// Names, each with what it is for.
  static var list: String { shipped.map { "\($0.name) (\($0.about))" }.joined(separator: ", ") }

  /// The options of a recipe that comes with the command, or of one in a file.
  ///
  /// - Throws: `RecipeError`.
  static func contents(named name: String) throws(RecipeError) -> RecipeContents {
    if let recipe = shipped.first(where: { $0.name == name }) {
      return try contents(of: Data(recipe.json.utf8), name: name)
    }
    guard FileManager.default.fileExists(atPath: name) else {
      throw name.contains("/") || name.hasSuffix(".json") ? .unreadable(name) : .unknown(name)
    }
    guard let data = try? MappedFile(contentsOf: URL(filePath: name)).withBytes({ Data($0) }) else {
      throw .unreadable(name)
    }
    return try contents(of: data, name: name)
  }

  /// The settings of a run by a recipe and by what was given beside it.
  ///
  /// - Throws: `RecipeError`, also for values that are out of range in the recipe itself; for others
  ///   what ``RecipeContents/settings(files:)`` throws.
  static func settings(
    of given: RecipeContents, files: [String], recipe name: String
  ) throws -> RunSettings {
    let recipe = try contents(named: name)
    var all = given
    all.fill(from: recipe)
    do {
      return try all.settings(files: files)
    } catch {
      let reason = "\(error)"
      guard recipe.fault == reason else { throw error }
      throw RecipeError.damaged(name: name, reason: reason)
    }
  }

  private static func contents(
    of data: Data, name: String
  ) throws(RecipeError) -> RecipeContents {
    let settings: [String: Value]
    do {
      settings = try JSONDecoder().decode([String: Value].self, from: data)
    } catch {
      throw .damaged(
        name: name,
        reason: "it isn't a JSON object of options, each a string, a number, true or false")
    }
    let given = settings.filter { $0.key != "about" }.sorted { $0.key < $1.key }
    // The parser has options of its own, such as one that prints a script.
    let known = RecipeContents.names
    if let other = given.first(where: { !known.contains($0.key) }) {
      throw .damaged(
        name: name,
        reason: "--\(other.key) is no setting of a training; see unfold train --help")
    }
    let arguments = given.map { $0.value.argument(option: $0.key) }
    do {
      return try RecipeContents.parse(arguments)
    } catch {
      throw .damaged(name: name, reason: RecipeContents.message(for: error))
    }
  }

  private enum Value: Decodable {
    case flag(Bool)
    case whole(Int)
    case number(Double)
    case text(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let whole = try? container.decode(Int.self) {
        self = .whole(whole)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }

    func argument(option: String) -> String {
      switch self {
      case .flag(let flag): flag ? "--\(option)" : "--no-\(option)"
      case .whole(let number): "--\(option)=\(number)"
      case .number(let number): "--\(option)=\(number)"
      case .text(let text): "--\(option)=\(text)"
      }
    }
  }
}

/// Why there is no such recipe.
enum RecipeError: Error, Equatable, CustomStringConvertible {
  case unknown(String)
  case unreadable(String)
  case damaged(name: String, reason: String)

  var description: String {
    switch self {
    case .unknown(let name):
      "There is no recipe “\(name)”; there are \(Recipe.names), or give the path of a JSON file."
    case .unreadable(let path): "The recipe \(path) can't be read; check the path."
    case .damaged(let name, let reason):
      "The recipe \(name) can't be used: \(reason.prefix(1).lowercased() + reason.dropFirst())"
    }
  }
}
