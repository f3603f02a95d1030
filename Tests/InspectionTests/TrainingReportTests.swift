import Foundation
import Inspection
import Language
import Testing

@Suite struct TrainingReportTests {
  private static let settings = """
    {"model":{"cell":"lstm","tied":false},"training":{"batch":12,"clipping":{"maximumNorm":0.5},
    "learning_rate":0.002},"text":{"files":["a<b.txt","c"],"validation_file":null}}
    """
  private static let metrics = """
    {"step":10,"seconds":2,"training_nats_per_token":3.5,"learning_rate":0.002,"gradient_norm":0.75,\
    "clipped":true,"tokens_per_second":100,"total_steps":40,"clipped_by_norm":5,"clipped_by_value":0,\
    "gradient_norms":{"lstm.weight_hh_l1":0.3,"lstm.weight_ih_l0":0.4,"embedding.weight":0.5},\
    "update_ratios":{"lstm.weight_hh_l1":0.001}}
    {"step":10,"seconds":3,"training_nats_per_token":3.5,"validation_nats_per_token":3.25,"is_best":true}
    {"step":20,"seconds":4,"training_nats_per_token":"NaN","gradient_norm":"Infinity",\
    "clipped_by_norm":5,"clipped_by_value":0}
    {"step":30,"seconds":1.5,"training_nats_per_token":2.5,"clipped_by_norm":6,"clipped_by_value":0}
    {"step":30,"seconds":2,"training_nats_per_token":3,"validation_nats_per_token":3,"is_best":true}
    {"step":40,"seco
    """

  private func withRun(_ files: [String: String], _ body: (RunFolder) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "inspection-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
    try body(RunFolder(folder))
  }

  private func report(_ files: [String: String]) throws -> String {
    var html = ""
    try withRun(files) { folder in
      try TrainingReport(of: folder).write()
      html = try String(contentsOf: folder.report, encoding: .utf8)
    }
    return html
  }

  @Test func aResumedRunCountsItsTimeOn() {
    let history = TrainingHistory(metrics: Data(Self.metrics.utf8))
    #expect(history.seconds == 4 + 2)
    #expect(history.lastStep == 30 && history.totalSteps == 40)
    #expect(history.clippedShares?.byNorm == 0.2 && history.clippedShares?.byValue == 0)
  }

  @Test func aBrokenOffRunHasOne() throws {
    let html = try report([
      "configuration.json": Self.settings, "metrics.jsonl": Self.metrics,
      "samples.txt": "— after step 10 —\n<a> & b\r\n\n— after step 30 —\nsecond\n\n",
    ])
    #expect(html.contains("Under way, or broken off: 30 of 40 steps, 6 s."))
    #expect(html.contains("3.0000 nats per token, perplexity 20.086, after step 30"))
    // Two ways of validating are told apart where their losses stand.
    #expect(html.contains("best validation loss while training"))
    #expect(html.contains("after step 30, the text cut into 12 streams side by side"))
    #expect(html.contains("At the end the best model reads the text from beginning to end"))
    #expect(html.contains(">learning rate</text>"))
    #expect(html.contains("20.0 % of the steps by norm"))
    #expect(html.contains("<pre>&lt;a&gt; &amp; b</pre>") && html.contains("<pre>second</pre>"))
    #expect(html.contains("a&lt;b.txt, c"))
    #expect(html.contains("limit 0.5"))
    let layers = ["embedding", "layer 0", "layer 1"].map { html.ranges(of: ">\($0)</text>") }
    #expect(layers.allSatisfy { $0.count == 1 })
    #expect(html.ranges(of: "Updates: ").count == 3 * 2)
    #expect(!html.contains("nan") && !html.contains("NaN"))
  }

  @Test func aRunThatHasJustBegunHasOne() throws {
    let html = try report(["configuration.json": Self.settings])
    #expect(html.contains("Under way, or broken off: 0 steps, 0 s."))
    #expect(html.contains("learning_rate"))
    #expect(!html.contains("from beginning to end"))
  }

  @Test func theTablesOfTheEndAreThere() throws {
    let table = RunResults.Table(
      "On 40,004 held-out tokens", columns: ["nats/token", "p"],
      rows: [.init("uniform", [4.00733, 8.4951e-7]), .init("truth", [.nan, 0.00112])])
    let results = RunResults(.stoppedEarly, tables: [table])
    try withRun(["configuration.json": Self.settings]) { folder in
      try results.write(to: folder)
      #expect(RunResults(in: folder)?.tables.first?.rows.first == table.rows.first)
      try TrainingReport(of: folder).write()
      let html = try String(contentsOf: folder.report, encoding: .utf8)
      #expect(html.contains("Stopped early: 0 steps"))
      #expect(html.contains("Measured at the end, on texts that are read from beginning to end"))
      #expect(html.contains("<th>On 40,004 held-out tokens</th>"))
      #expect(html.contains(">4.0073</td>") && html.contains(">8.50·10⁻⁷</td>"))
      #expect(html.contains(">1.12·10⁻³</td>") && html.contains(">undefined</td>"))
    }
  }

  @Test func aFolderWithoutARunIsRefused() throws {
    try withRun([:]) { folder in
      #expect(throws: RunError.holdsNoRun(path: folder.url.path)) { try TrainingReport(of: folder) }
    }
    try withRun(["configuration.json": "{"]) { folder in
      #expect(throws: RunError.damaged(file: folder.configuration.path)) {
        try TrainingReport(of: folder)
      }
    }
  }
}
