import Synchronization
import Tensors

/// The eigenvalues and singular values of a recurrent matrix.
///
/// In a linear recurrence s′ = W·s a gradient changes in the long run by the spectral radius a step,
/// and at most by the largest singular value.
public struct Spectrum: Sendable, Equatable, Encodable {
  public let name: String
  /// By falling modulus.
  public let eigenvalues: [ComplexNumber]
  /// By falling size.
  public let singularValues: [Double]

  package init(name: String, eigenvalues: [ComplexNumber], singularValues: [Double]) {
    (self.name, self.eigenvalues, self.singularValues) = (name, eigenvalues, singularValues)
  }

  /// - Throws: ``SpectrumError``.
  public init(_ recurrent: RecurrentMatrix) throws(SpectrumError) {
    name = recurrent.name
    eigenvalues = try recurrent.matrix.eigenvalues()
    singularValues = try recurrent.matrix.singularValues()
  }

  /// The largest modulus of an eigenvalue.
  public var spectralRadius: Double { eigenvalues.first?.modulus ?? 0 }
  /// ‖W‖₂, the largest singular value.
  public var norm: Double { singularValues.first ?? 0 }
  /// How many eigenvalues lie outside of the unit circle.
  public var outside: Int { eigenvalues.filter { $0.modulus > 1 }.count }

  /// The spectra of several matrices, on all threads.
  ///
  /// - Parameter progress: gets the number of those that are done, from any thread.
  /// - Throws: ``SpectrumError`` of the first matrix that has none.
  public static func all(
    of matrices: [RecurrentMatrix], progress: @Sendable (Int) -> Void = { _ in }
  ) throws -> [Spectrum] {
    let results = Mutex<[Int: Result<Spectrum, SpectrumError>]>([:])
    Compute.forEach(matrices.count, cost: 1_000_000) { index in
      let result = Result { () throws(SpectrumError) in try Spectrum(matrices[index]) }
      progress(
        results.withLock {
          $0[index] = result
          return $0.count
        })
    }
    return try results.withLock { found in
      try matrices.indices.compactMap { try found[$0]?.get() }
    }
  }

  private enum CodingKeys: CodingKey {
    case name, spectralRadius, norm, outside, eigenvalues, singularValues
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(spectralRadius, forKey: .spectralRadius)
    try container.encode(norm, forKey: .norm)
    try container.encode(outside, forKey: .outside)
    try container.encode(eigenvalues.map { [$0.real, $0.imaginary] }, forKey: .eigenvalues)
    try container.encode(singularValues, forKey: .singularValues)
  }
}
