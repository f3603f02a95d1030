import ArgumentParser
import Language

/// Options that a recipe can give: each is optional, so that it is known which were given.
protocol RecipeOptions: ParsableArguments {
  static var settings: [RecipeSetting<Self>] { get }
}

/// One option of a group.
struct RecipeSetting<Options> {
  fileprivate let isGiven: (Options) -> Bool
  fileprivate let fill: (inout Options, Options) -> Void

  init<Value>(_ path: WritableKeyPath<Options, Value?>) {
    isGiven = { $0[keyPath: path] != nil }
    fill = { options, recipe in
      if options[keyPath: path] == nil { options[keyPath: path] = recipe[keyPath: path] }
    }
  }

  /// Those of a group within the group.
  init<Group: RecipeOptions>(group path: WritableKeyPath<Options, Group>) {
    isGiven = { $0[keyPath: path].isGiven }
    fill = { options, recipe in options[keyPath: path].fill(from: recipe[keyPath: path]) }
  }
}

extension RecipeOptions {
  /// The long names of the options, made of the properties' as the parser makes them: that of
  /// `learningRate` is `learning-rate`.
  static var names: [String] {
    Mirror(reflecting: Self()).children.compactMap { child in
      child.label?.drop { $0 == "_" }
        .map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
    }
  }

  /// Whether any of the options was given.
  var isGiven: Bool { Self.settings.contains { $0.isGiven(self) } }

  /// Takes what wasn't given from a recipe.
  mutating func fill(from recipe: Self) {
    for setting in Self.settings { setting.fill(&self, recipe) }
  }
}

/// All that a recipe can hold.
struct RecipeContents: ParsableArguments {
  @OptionGroup var model: ModelOptions
  @OptionGroup var softmax: SoftmaxOptions
  @OptionGroup var regularisation: RegularisationOptions
  @OptionGroup var text: TextOptions
  @OptionGroup var training: TrainingOptions

  /// The long names of all options.
  static var names: Set<String> {
    Set(
      ModelOptions.names + SoftmaxOptions.names + RegularisationOptions.names + TextOptions.names
        + VocabularyOptions.names + TrainingOptions.names)
  }

  init() {}

  init(
    model: ModelOptions, softmax: SoftmaxOptions, regularisation: RegularisationOptions,
    text: TextOptions, training: TrainingOptions
  ) {
    self.init()
    self.model = model
    self.softmax = softmax
    self.regularisation = regularisation
    self.text = text
    self.training = training
  }

  /// Takes what wasn't given from a recipe.
  mutating func fill(from recipe: RecipeContents) {
    // These two exclude each other: the one that was given counts.
    let (isSplit, isValidated) = (text.split != nil, text.valid != nil)
    model.fill(from: recipe.model)
    softmax.fill(from: recipe.softmax)
    regularisation.fill(from: recipe.regularisation)
    text.fill(from: recipe.text)
    training.fill(from: recipe.training)
    if isSplit, !isValidated { text.valid = nil }
    if isValidated, !isSplit { text.split = nil }
  }

  /// All settings of a run, with the usual values for what isn't said.
  ///
  /// - Parameter files: paths of the texts; none for the toy language.
  /// - Throws: `SettingError`, or `ValidationError`, for values out of range.
  func settings(files: [String]) throws -> RunSettings {
    let isToy = files.isEmpty
    let settings = RunSettings(
      model: model.configuration(
        isToy: isToy, softmax: try softmax.setting(), regularisation: regularisation.regularisation),
      training: try training.configuration(isToy: isToy),
      text: try text.settings(files: files), seed: training.seed ?? 1)
    _ = try settings.model.validated()
    _ = try settings.training.validated()
    return settings
  }

  /// What is wrong with these settings alone, for some text; nil if nothing is.
  var fault: String? {
    do {
      _ = try settings(files: ["-"])
      return nil
    } catch { return "\(error)" }
  }
}
