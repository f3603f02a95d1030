import Tensors

extension DoubleMatrix {
  /// The singular values, by falling size: how much the matrix stretches space, and along how many
  /// directions. The first is the norm ‖A‖₂.
  ///
  /// Reflections from both sides make the matrix bidiagonal; its singular values are then found one
  /// by one, by bisection: a count tells how many are larger than a guess. Each is found to about
  /// 10⁻¹⁵·‖A‖.
  ///
  /// - Throws: ``SpectrumError/notFinite``.
  /// - Complexity: some 8/3 n³ operations.
  /// - SeeAlso: G. Golub, W. Kahan, "Calculating the Singular Values and Pseudo-Inverse of a
  ///   Matrix", SIAM J. Numer. Anal. 2 (1965), section 3 for the bidiagonal form and section 4 for
  ///   the tridiagonal matrix that is bisected.
  public func singularValues() throws(SpectrumError) -> [Double] {
    guard isFinite else { throw .notFinite }
    guard rows >= columns else { return try transposed.singularValues() }
    guard columns > 0 else { return [] }
    let scale = values.reduce(0) { max($0, abs($1)) }
    guard scale > 0 else { return Array(repeating: 0, count: columns) }
    let squares = scaled(by: 1 / scale).bidiagonal().map { $0 * $0 }
    // Gershgorin: no value is beyond this.
    let bound = 2 * (squares.max() ?? 0).squareRoot() + 1e-300
    return (0..<columns).map { index in
      var (low, high) = (0.0, bound)
      while true {
        let middle = (low + high) / 2
        guard middle > low, middle < high else { return high * scale }
        if Self.count(squares, above: middle) > index { low = middle } else { high = middle }
        if high <= bound * 1e-17 { return high * scale }
      }
    }
  }

  /// Diagonal and superdiagonal by turns, d₁ e₁ d₂ e₂ … d_n, of a bidiagonal matrix with the same
  /// singular values.
  private func bidiagonal() -> [Double] {
    var a = self
    var numbers: [Double] = []
    for step in 0..<columns {
      if let mirror = Reflection((step..<rows).map { a[$0, step] }) {
        mirror.applyToRows(of: &a, from: step, columns: step..<columns)
      }
      numbers.append(a[step, step])
      guard step + 1 < columns else { break }
      if let mirror = Reflection((step + 1..<columns).map { a[step, $0] }) {
        mirror.applyToColumns(of: &a, from: step + 1, rows: step..<rows)
      }
      numbers.append(a[step, step + 1])
    }
    return numbers
  }

  /// How many singular values are above `guess`: the eigenvalues of the symmetric tridiagonal matrix
  /// with a zero diagonal and d₁ e₁ d₂ e₂ … beside it are ± the singular values, and as many of its
  /// pivots minus `guess` are positive as there are eigenvalues above (Sturm).
  private static func count(_ squares: [Double], above guess: Double) -> Int {
    var pivot = -guess
    var count = 0
    for square in squares {
      // A pivot of zero stands for one a little below.
      if pivot == 0 { pivot = -.leastNormalMagnitude }
      pivot = -guess - square / pivot
      if pivot > 0 { count += 1 }
    }
    return count
  }
}
