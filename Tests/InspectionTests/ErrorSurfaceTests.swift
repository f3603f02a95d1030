import Inspection
import Testing

@Suite struct ErrorSurfaceTests {
  private let surface = ErrorSurface()

  @Test func theGradientIsTheSlope() {
    for (w, b) in [(5.0, -2.2), (4.3, -2.6), (6.0, -2.0)] {
      let slope = surface(w: w, b: b)
      let h = 1e-6
      let dw = (surface(w: w + h, b: b).error - surface(w: w - h, b: b).error) / (2 * h)
      let db = (surface(w: w, b: b + h).error - surface(w: w, b: b - h).error) / (2 * h)
      #expect(abs(slope.dw - dw) < 1e-6)
      #expect(abs(slope.db - db) < 1e-6)
    }
  }

  @Test func itHasACliff() {
    // Across the line where a fixed point vanishes, the error jumps within a hundredth of w.
    #expect(surface(w: 4.69, b: -2.42).norm > 100)
    #expect(surface(w: 5.2, b: -2.42).norm < 0.3)
    #expect(surface(w: 4.6, b: -2.42).error - surface(w: 4.8, b: -2.42).error > 0.25)
  }

  @Test func clippingKeepsDescentFromFlyingOff() {
    let plain = surface.descent(w: 5, b: -2.2, learningRate: 0.1, clipNorm: nil, updates: 100)
    let clipped = surface.descent(w: 5, b: -2.2, learningRate: 0.1, clipNorm: 0.1, updates: 100)
    #expect(plain.count == 101 && plain[0] == clipped[0])
    #expect((plain.map(\.gradientNorm).max() ?? 0) > 100)
    #expect((plain.last?.b ?? 0) > 10)
    for (a, b) in zip(clipped, clipped.dropFirst()) {
      let step = ((a.w - b.w) * (a.w - b.w) + (a.b - b.b) * (a.b - b.b)).squareRoot()
      #expect(step <= 0.0100001)
    }
    #expect((clipped.last?.error ?? 1) < 0.02)
  }
}
