import Foundation
import Testing

extension CommandTests {
  /// Texts that are longer than what is kept in memory go to files that leave nothing behind.
  @Suite struct LongTextTests {
    let place: Workplace

    init() throws {
      place = try Workplace()
      try FileManager.default.createDirectory(
        at: place.path("scratch"), withIntermediateDirectories: false)
      try place.write("one two three four\nfive\n", to: "short")
      let made = try place.unfold(
        "ngram", "short", "--tokens", "bytes", "--order", "1", "--smoothing", "add-k=1", "--out",
        "bytes.ngram")
      #expect(made.code == 0, "\(made.error)")
    }

    private var scratch: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: place.path("scratch").path) }
    }

    private func writeLongText(end: [UInt8] = []) throws {
      let line = Data("some words of a line that comes again and again\n".utf8)
      var text = Data(capacity: 18_000_000)
      while text.count < 17_500_000 { text += line }
      try place.write(text + end, to: "long")
    }

    private func unfold(_ arguments: String..., input: String? = nil) throws -> Workplace.Result {
      try place.unfold(
        arguments, environment: ["TMPDIR": place.path("scratch").path], input: input)
    }

    @Test func aFileAndAPipeGiveTheSame() throws {
      try writeLongText()
      let file = try unfold("evaluate", "bytes.ngram", "long")
      let piped = try unfold("evaluate", "bytes.ngram", "-", input: "long")
      #expect(file.code == 0 && piped.code == 0, "\(file.error)\(piped.error)")
      #expect(file.output == piped.output && file.text.contains("\"tokens\":1750"))
      #expect(try scratch.isEmpty)
    }

    @Test func anErrorLeavesNothingBehind() throws {
      try writeLongText(end: [0xFF])
      let result = try unfold(
        "train", "long", "--tokens", "characters", "--out", "run", "--hidden", "8")
      expectRefusal(result, 65, "byte 0xFF at offset 17500032 (line 364585)")
      #expect(try scratch.isEmpty && !place.exists("run"))
    }

    /// More than 16 MiB have come from the pipe, which stays open, when the process is killed.
    @Test func aKilledProcessLeavesNothingBehind() throws {
      try writeLongText()
      let result = try place.shell(
        """
        export TMPDIR="$PWD/scratch"
        { cat long; sleep 1; } | "$unfold" evaluate bytes.ngram - & process=$!
        sleep 0.5; kill -KILL $process; wait $process; echo "ended with $?"; ls -A scratch
        """)
      #expect(result.text == "ended with 137\n", "\(result.error)")
    }

    @Test func aFolderThatCantTakeTheTokensIsNamed() throws {
      try writeLongText()
      let result = try place.unfold(
        ["evaluate", "bytes.ngram", "long"],
        environment: ["TMPDIR": place.path("nowhere").path])
      expectRefusal(result, 73, "nowhere")
    }
  }
}
