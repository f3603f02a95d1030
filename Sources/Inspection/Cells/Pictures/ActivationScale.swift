/// The colours of activations: blue below zero, red above, none at zero, in ten strengths each.
///
/// They lie over the paper and leave the ink a contrast of at least 4.5, light or dark.
enum ActivationScale {
  static let strengths = 10

  /// The class of a character: `n10` … `n1`, `z`, `p1` … `p10`.
  static func cssClass(_ activation: Float) -> String {
    let strength = Int((min(max(activation, -1), 1) * Float(strengths)).rounded())
    return strength == 0 ? "z" : strength < 0 ? "n\(-strength)" : "p\(strength)"
  }

  static let rules: String = {
    let colours = (1...strengths).map { strength in
      let share = Double(strength) / Double(strengths) * 0.75
      return ".n\(strength){background:rgb(var(--cold)/\(share))}"
        + ".p\(strength){background:rgb(var(--warm)/\(share))}"
    }
    return """
      :root{--cold:50 120 220;--warm:220 60 50}
      @media screen and (prefers-color-scheme:dark){:root{--cold:45 95 215;--warm:200 45 45}}
      .read i,.scale i{font-style:normal;-webkit-print-color-adjust:exact;print-color-adjust:exact}
      .read i.e{display:inline-block;width:.5em;height:1em;margin-right:-.5em;vertical-align:-.15em}
      .read i.f{position:relative;left:.5em}
      .scale{white-space:nowrap}
      .scale i{display:inline-block;width:.55em;height:1em;vertical-align:-.15em}
      \(colours.joined(separator: "\n"))

      """
  }()

  /// The strength as red, green and blue over white, for a picture of its own.
  static func rgb(_ activation: Float) -> String {
    let share = Double((min(max(abs(activation), 0), 1)) * 0.75)
    let colour = activation < 0 ? [50.0, 120, 220] : [220, 60, 50]
    let mixed = colour.map { Int(($0 * share + 255 * (1 - share)).rounded()) }
    return "rgb(\(mixed[0]),\(mixed[1]),\(mixed[2]))"
  }

  /// The nearest of the 256 colours of terminals.
  static func terminalColour(_ activation: Float) -> Int {
    let cold = [231, 195, 153, 117, 111, 75]
    let warm = [231, 224, 217, 210, 203, 196]
    let step = Int((min(abs(activation), 1) * 5).rounded())
    return activation < 0 ? cold[step] : warm[step]
  }
}
