/// Francis's double-shift QR iteration on a real Hessenberg matrix, for eigenvalues only.
///
/// The letters are those of Martin, Peters, Wilkinson, "The QR Algorithm for Real Hessenberg
/// Matrices", Numerische Mathematik 14 (1970): procedure `hqr`.
struct FrancisQR {
  private var a: DoubleMatrix
  private let norm: Double
  /// The sum of the exceptional shifts, by which the diagonal has been lowered.
  private var shifted = 0.0

  init(_ hessenberg: DoubleMatrix) {
    a = hessenberg
    norm = hessenberg.values.reduce(0) { $0 + abs($1) }
  }

  /// Iterations for one eigenvalue, of which a typical one takes two or three.
  private static let mostIterations = 60

  mutating func eigenvalues() throws(SpectrumError) -> [ComplexNumber] {
    var found: [ComplexNumber] = []
    var last = a.rows - 1
    var iterations = 0
    while last >= 0 {
      let first = blockStart(endingAt: last)
      if first == last {
        found.append(ComplexNumber(a[last, last] + shifted))
        (last, iterations) = (last - 1, 0)
      } else if first == last - 1 {
        found += pair(endingAt: last)
        (last, iterations) = (last - 2, 0)
      } else {
        guard iterations < Self.mostIterations else { throw .noConvergence(size: a.rows) }
        iterations += 1
        sweep(first, last, isExceptional: iterations.isMultiple(of: 10))
      }
    }
    return found
  }

  /// Where the unreduced block that ends at `last` begins: below a subdiagonal number that is
  /// nothing beside its neighbours on the diagonal.
  private mutating func blockStart(endingAt last: Int) -> Int {
    var row = last
    while row > 0 {
      let neighbours = abs(a[row - 1, row - 1]) + abs(a[row, row])
      let scale = neighbours == 0 ? norm : neighbours
      if abs(a[row, row - 1]) + scale == scale {
        a[row, row - 1] = 0
        return row
      }
      row -= 1
    }
    return 0
  }

  /// The eigenvalues of the block of two that ends at `last`.
  private func pair(endingAt last: Int) -> [ComplexNumber] {
    let x = a[last, last]
    let p = (a[last - 1, last - 1] - x) / 2
    let w = a[last, last - 1] * a[last - 1, last]
    let q = p * p + w
    let root = abs(q).squareRoot()
    guard q >= 0 else {
      let real = x + p + shifted
      return [ComplexNumber(real, root), ComplexNumber(real, -root)]
    }
    let z = p < 0 ? p - root : p + root
    let other = z == 0 ? x : x - w / z
    return [ComplexNumber(x + z + shifted), ComplexNumber(other + shifted)]
  }

  /// One double step on the block from `first` to `last`: a bulge of 3 × 3 is made at its top and
  /// chased out at its end.
  private mutating func sweep(_ first: Int, _ last: Int, isExceptional: Bool) {
    var x = a[last, last]
    var y = a[last - 1, last - 1]
    var w = a[last, last - 1] * a[last - 1, last]
    if isExceptional {
      // A block that rotates its own shifts, such as a permutation, needs a push.
      shifted += x
      for index in 0...last { a[index, index] -= x }
      let s = abs(a[last, last - 1]) + abs(a[last - 1, last - 2])
      (x, y, w) = (0.75 * s, 0.75 * s, -0.4375 * s * s)
    }
    var bulge = SIMD3<Double>.zero
    var top = last - 2
    while true {
      bulge = firstColumn(at: top, x: x, y: y, w: w)
      if top == first || isNegligible(bulge, at: top) { break }
      top -= 1
    }
    for row in top + 2...last {
      a[row, row - 2] = 0
      if row > top + 2 { a[row, row - 3] = 0 }
    }
    for k in top..<last { chase(k, &bulge, first: first, last: last, top: top) }
  }

  /// The first column of (A − σ₁)(A − σ₂), from `row` on, scaled.
  private func firstColumn(at row: Int, x: Double, y: Double, w: Double) -> SIMD3<Double> {
    let z = a[row, row]
    let (r, s) = (x - z, y - z)
    let column = SIMD3(
      (r * s - w) / a[row + 1, row] + a[row, row + 1], a[row + 1, row + 1] - z - r - s,
      a[row + 2, row + 1])
    return column / max(abs(column.x) + abs(column.y) + abs(column.z), .leastNormalMagnitude)
  }

  /// Whether the step may begin at `row`, as the subdiagonal number there is small enough.
  private func isNegligible(_ bulge: SIMD3<Double>, at row: Int) -> Bool {
    let u = abs(a[row, row - 1]) * (abs(bulge.y) + abs(bulge.z))
    let v = abs(bulge.x) * (abs(a[row - 1, row - 1]) + abs(a[row, row]) + abs(a[row + 1, row + 1]))
    return u + v == v
  }

  /// Moves the bulge from row `k` to the next by a reflection of three rows and columns.
  private mutating func chase(
    _ k: Int, _ bulge: inout SIMD3<Double>, first: Int, last: Int, top: Int
  ) {
    let isWhole = k < last - 1  // else only two rows are left
    var scale = 1.0
    if k > top {
      bulge = SIMD3(a[k, k - 1], a[k + 1, k - 1], isWhole ? a[k + 2, k - 1] : 0)
      scale = abs(bulge.x) + abs(bulge.y) + abs(bulge.z)
      guard scale > 0 else { return }
      bulge /= scale
    }
    let length = (bulge * bulge).sum().squareRoot()
    let s = bulge.x < 0 ? -length : length
    guard s != 0 else { return }
    if k > top { a[k, k - 1] = -s * scale } else if first < top { a[k, k - 1] = -a[k, k - 1] }
    let p = bulge.x + s
    let (x, y, z) = (p / s, bulge.y / s, bulge.z / s)
    let (q, r) = (bulge.y / p, bulge.z / p)
    let n = a.columns
    let (row0, row1, row2) = (k * n, (k + 1) * n, isWhole ? (k + 2) * n : 0)
    for j in k...last {
      var sum = a.values[row0 + j] + q * a.values[row1 + j]
      if isWhole {
        sum += r * a.values[row2 + j]
        a.values[row2 + j] -= sum * z
      }
      a.values[row1 + j] -= sum * y
      a.values[row0 + j] -= sum * x
    }
    for i in first...min(last, k + 3) {
      let at = i * n + k
      var sum = x * a.values[at] + y * a.values[at + 1]
      if isWhole {
        sum += z * a.values[at + 2]
        a.values[at + 2] -= sum * r
      }
      a.values[at + 1] -= sum * q
      a.values[at] -= sum
    }
  }
}
