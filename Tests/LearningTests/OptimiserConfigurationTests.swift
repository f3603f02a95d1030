import Foundation
import Learning
import Testing

@Suite struct OptimiserConfigurationTests {
  @Test func defaultsArePyTorchs() throws {
    #expect(OptimiserConfiguration(.adam).eps == 1e-8)
    #expect(OptimiserConfiguration(.adagrad).eps == 1e-10)
    #expect(OptimiserConfiguration(.adam).weightDecay == 0)
    #expect(OptimiserConfiguration(.adamw).weightDecay == 0.01)
    for configuration in optimiserConfigurations {
      #expect(try configuration.validated() == configuration)
      let json = try JSONEncoder().encode(configuration)
      let read = try JSONDecoder().decode(OptimiserConfiguration.self, from: json)
      #expect(read == configuration)
    }
  }

  @Test func illegalValuesAreNamed() {
    func sentence(
      _ method: OptimiserConfiguration.Method = .momentum,
      _ change: (inout OptimiserConfiguration) -> Void
    ) -> String? {
      var configuration = OptimiserConfiguration(method)
      change(&configuration)
      do throws(SettingError) {
        _ = try configuration.validated()
        return nil
      } catch {
        return error.description
      }
    }
    let range = "must be at least 0 and less than 1"
    #expect(sentence { $0.momentum = 1 } == "momentum \(range), not 1.0")
    #expect(sentence { $0.beta1 = -0.1 } == "beta1 \(range), not -0.1")
    #expect(sentence { $0.beta2 = .nan } == "beta2 \(range), not nan")
    #expect(sentence { $0.alpha = 2 } == "alpha \(range), not 2.0")
    #expect(sentence { $0.eps = 0 } == "eps must be positive and finite, not 0.0")
    #expect(
      sentence { $0.weightDecay = -1 } == "weight decay must be at least 0 and finite, not -1.0")
    #expect(
      sentence(.adam) { $0.nesterov = true }
        == "the method with nesterov must be momentum, with a momentum above 0, not adam with 0.9")
    #expect(sentence { $0.nesterov = true } == nil)
  }
}
