import Foundation
import Inspection
import Testing

@Suite struct MetricsLineTests {
  @Test func readsStepsAndEvaluationsAndLeavesOutWhatWasCutOff() {
    let text = """
      {"clipped":false,"epoch":1,"gradient_norm":"Infinity","learning_rate":0.25,"seconds":1.5,"step":2}
      {"epoch":1,"is_best":true,"step":2,"training_nats_per_token":3}
      {"epoch":1,"gradient_n
      """
    let lines = MetricsLine.lines(of: Data(text.utf8))
    #expect(lines.map(\.isEvaluation) == [false, true])
    #expect(lines.first?.gradientNorm == .infinity)
    #expect(lines.first?.learningRate == 0.25)
    #expect(lines.last?.validationNatsPerToken == nil)
  }
}
