import Foundation
import Plots

extension GradientStudy {
  /// The report, one self-contained file.
  package var page: Page {
    var page = Page(
      model.map { "Gradients of \($0)" } ?? "Gradients of fresh cells",
      subtitle: "How gradients vanish and explode, measured by backpropagation through time")
    addSummary(to: &page)
    addFlow(to: &page)
    addSpectra(to: &page)
    addTruncation(to: &page)
    addClipping(to: &page)
    addMemory(to: &page)
    return page
  }

  private func addSummary(to page: inout Page) {
    page.section("In short")
    if model != nil, let verdict = verdicts.first {
      if verdict.kind == .healthy {
        page.paragraph("<strong>\(verdict.finding)</strong>")
      } else {
        page.notice("<strong>\(verdict.finding)</strong>")
      }
      if !verdict.advice.isEmpty { page.raw(Self.list("What to try", verdict.advice)) }
    } else {
      page.paragraph(
        """
        Cells of 64 units that haven’t been trained, on random inputs. A gradient that falls below \
        1 % of its norm within 20 steps is called vanishing, one that grows a hundredfold exploding.
        """)
      page.table(
        ["cell", "start", "λ", "gradients", "factor a step", "1 % left after", "largest growth"],
        zip(starts, verdicts).map { study, verdict in
          [
            study.cell, study.start, study.spectralRadius.text(2), verdict.kind.rawValue,
            Self.pace(verdict), Self.reach(verdict),
            GradientVerdict.readable(verdict.largestGrowth),
          ]
        })
      addAdvice(to: &page)
    }
  }

  /// What to try with each of the fresh cells whose gradients vanish or explode.
  private func addAdvice(to page: inout Page) {
    let kinds: [GradientVerdict.Kind] = [.vanishing, .exploding]
    for studies in groups(starts + radii) {
      for kind in kinds {
        guard let study = studies.first(where: { $0.verdict.kind == kind }) else { continue }
        page.raw(
          Self.list("Against \(kind.rawValue) gradients, \(study.cell)", study.verdict.advice))
      }
    }
  }

  private static func list(_ title: String, _ items: [String]) -> HTML {
    let items = items.map { item -> HTML in "<li>\(item)</li>\n" }
    return "<p>\(title):</p>\n<ul>\n\(items.joined())</ul>\n"
  }

  private func addFlow(to page: inout Page) {
    page.section("Backpropagation through time")
    page.paragraph(
      """
      How much does the loss of the last step, L<sub>N</sub>, depend on the state N − t steps \
      before it? Rings are the gradients that backpropagation gives. The line is the same by theory: \
      the product of the exact Jacobians of all steps between. The dashed line is what the largest \
      eigenvalue λ of the recurrent matrix (for gates, the candidate’s) alone would predict.
      """)
    if let modelFlow {
      page.figure(FlowCharts.parts(modelFlow))
      page.table(
        ["part of the state", "gradients", "factor a step", "1 % left after", "largest growth"],
        modelFlow.flows.map { flow in
          let verdict = GradientVerdict(
            subject: flow.part, norms: flow.norms, overflow: modelFlow.overflow)
          return [
            flow.part, verdict.kind.rawValue, Self.pace(verdict), Self.reach(verdict),
            GradientVerdict.readable(verdict.largestGrowth),
          ]
        })
      let candidates = spectra.map(\.now).filter { !$0.name.contains("gate") }
      page.figure(
        FlowCharts.agreement(
          modelFlow, radii: candidates.prefix(3).map { ($0.name, $0.spectralRadius) }),
        caption: "\(modelFlow.agreement.finding)")
    }
    for study in freshCells {
      page.figure(
        FlowCharts.comparison(study),
        caption: "\(study.verdict.finding) \(study.agreement.finding)")
      if study.flows.count > 1 { page.figure(FlowCharts.parts(study)) }
    }
    guard !radii.isEmpty else { return }
    page.heading("Over the spectral radius")
    page.paragraph(
      """
      The same cells with every recurrent matrix scaled to a spectral radius. A squashing function \
      takes away from λ; gates decide for themselves how much of a gradient they let through. A \
      network with ReLU that starts as a multiple of the identity is nearly linear: there λ alone \
      decides between vanishing and exploding, and a line ends where every unit has been shut, or \
      where the state has grown beyond what Float32 can hold. Lines are medians over sequences; in \
      thin dashes the product of Jacobians, ∏J, of the first sequence.
      """)
    page.figures(groups(radii).map(FlowCharts.radii))
    page.heading("Over the start of the weights")
    page.figures(groups(starts).map(FlowCharts.starts))
  }

  /// Studies of the same cell together, in their order.
  private func groups(_ studies: [FlowStudy]) -> [[FlowStudy]] {
    var cells: [String] = []
    for study in studies where !cells.contains(study.cell) { cells.append(study.cell) }
    return cells.map { cell in studies.filter { $0.cell == cell } }
  }

  private func addSpectra(to page: inout Page) {
    guard !spectra.isEmpty else { return }
    page.section("Spectra of the recurrent matrices")
    page.paragraph(
      """
      The eigenvalues of W, by which the state is multiplied at every step. In a linear network \
      directions inside of the unit circle fade and those outside grow; singular values tell how \
      much a single step can stretch.
      """)
    page.figures(spectra.map(SpectrumCharts.plane))
    var layers: [String] = []
    for change in spectra where !layers.contains(change.layer) { layers.append(change.layer) }
    page.figures(
      layers.map { layer in
        SpectrumCharts.singularValues(
          spectra.filter { $0.layer == layer },
          title: layer.isEmpty ? "Singular values" : "Singular values, \(layer)")
      })
    let hasBefore = spectra.contains { $0.before != nil }
    let names = ["spectral radius", "‖W‖₂", "eigenvalues outside"]
    page.table(
      ["matrix"] + (hasBefore ? names.flatMap { ["\($0), before", "after"] } : names),
      spectra.map { change in
        func numbers(_ spectrum: Spectrum) -> [String] {
          [
            spectrum.spectralRadius.text(2), spectrum.norm.text(2),
            "\(spectrum.outside)",
          ]
        }
        let now = numbers(change.now)
        guard let before = change.before.map(numbers) else { return [change.now.name] + now }
        return [change.now.name] + zip(before, now).flatMap { [$0, $1] }
      },
      caption: hasBefore ? "Before training: fresh weights from the run’s seed." : nil)
  }

  private func addTruncation(to page: inout Page) {
    guard let first = truncation.first else { return }
    page.section("Truncated backpropagation")
    page.paragraph(
      """
      If gradients flow back over k steps only, which part of the full gradient, over \
      \(first.study.steps) steps, is left? Measured on \(first.study.samples) stretches of \
      \(first.study.batch) streams of \(model == nil ? "the toy language" : "the text").
      """)
    page.figures([
      LearningCharts.direction(truncation), LearningCharts.biasAndDeviation(truncation),
    ])
    guard truncation.count == 1 else { return }
    page.table(
      ["k", "cosine", "relative norm", "bias", "deviation"],
      first.study.points.map { point in
        ["\(point.window)"]
          + [point.cosine, point.relativeNorm, point.bias, point.deviation].map {
            String(format: "%.4f", $0)
          }
      })
  }

  private func addClipping(to page: inout Page) {
    page.section("Clipping")
    page.paragraph(
      """
      x<sub>t</sub> = w·σ(x<sub>t−1</sub>) + b from x<sub>0</sub> = ½, with the error \
      (σ(x<sub>50</sub>) − 0.7)² after 50 steps (Pascanu, Mikolov and Bengio 2013). Where fixed \
      points of the unit vanish there is a cliff.
      """)
    let steepest = clipping.plain.max { $0.gradientNorm < $1.gradientNorm }
    let (away, end) = (clipping.plain.last, clipping.clipped.last)
    page.figure(
      LearningCharts.cliff(clipping),
      caption: """
        Without clipping, one step meets a gradient of norm \
        \(GradientVerdict.readable(steepest?.gradientNorm ?? 0)) and ends far outside of the \
        picture, at w = \((away?.w ?? 0).text(2)), b = \((away?.b ?? 0).text(2)). With \
        the norm clipped at \(clipping.clipNorm) the path follows the foot of the cliff to an error \
        of \((end?.error ?? 0).brief).
        """)
    page.figure(LearningCharts.cut())
    guard let training else { return }
    page.heading("In this model’s training")
    let charts = TrainingCharts(history: training.training, clipNorm: training.clipNorm)
    page.figure(charts.gradientNorm, caption: "\(training.finding)")
    if let clipping = charts.clipping { page.figure(clipping) }
  }

  private func addMemory(to page: inout Page) {
    page.section("Long memory")
    guard let settings = longMemory.first?.settings else {
      page.paragraph(
        """
        At which lag do Elman, GRU and LSTM still learn? <code>unfold gradients --long-memory</code> \
        trains them on the adding problem and on the copy problem, in at most 20 minutes.
        """)
      return
    }
    page.paragraph(
      """
      Networks of \(settings.hiddenSize) units, trained with Adam for at most \(settings.updates) \
      updates of \(settings.batch) sequences, on the problems of Hochreiter and Schmidhuber (1997). \
      Adding counts as learned with \(AddingProblem(lag: 4).criterion); copying with \
      \(CopyProblem(lag: 1).criterion), on sequences that were drawn for this alone. Beyond a lag at \
      which no seed has learned, none is tried.
      """)
    page.figure(LearningCharts.memory(longMemory))
    page.table(
      ["task", "cell", "lag", "seeds that learned", "updates, median", "error, median"],
      MemoryTable.rows(longMemory),
      caption: "Updates of the seeds that learned; errors of all, 1 being what needs no memory")
    let missing = MemoryTable.names(of: MemoryStudy().missing(in: longMemory))
    guard !missing.isEmpty else { return }
    page.notice(
      """
      Not run in the time that there was: \(missing.joined(separator: "; ")). \
      <code>unfold gradients --long-memory</code> goes on with them.
      """)
  }

  /// The factor a step, if there is one.
  private static func pace(_ verdict: GradientVerdict) -> String {
    verdict.factorPerStep?.text(2) ?? "–"
  }

  private static func reach(_ verdict: GradientVerdict) -> String {
    verdict.reach > verdict.steps ? "> \(verdict.steps)" : "\(verdict.reach)"
  }
}

/// The trainings of one task, cell and lag, over seeds.
private enum MemoryTable {
  /// Neighbours of the same task, cell and lag together.
  private static func groups<Training>(
    _ trainings: [Training], _ trial: (Training) -> MemoryTrial
  ) -> [(trial: MemoryTrial, trainings: [Training])] {
    var groups: [(trial: MemoryTrial, trainings: [Training])] = []
    for training in trainings {
      let own = trial(training)
      if let last = groups.last?.trial, last.task == own.task, last.cell == own.cell,
        last.lag == own.lag
      {
        groups[groups.count - 1].trainings.append(training)
      } else {
        groups.append((own, [training]))
      }
    }
    return groups
  }

  static func rows(_ results: [MemoryResult]) -> [[String]] {
    groups(results) { $0.trial }.map { trial, results in
      let learned = results.filter(\.isLearned)
      let updates = learned.map { Double($0.updates) }.sorted()
      let error = GradientFlow.quantile(results.map(\.error).sorted(), 0.5)
      return [
        trial.task.rawValue, trial.cell.title, "\(trial.lag)",
        "\(learned.count) of \(results.count)",
        updates.isEmpty ? "–" : "\(Int(GradientFlow.quantile(updates, 0.5)))",
        error < 10 ? error.text(3) : "over 10",
      ]
    }
  }

  /// "adding, LSTM, lag 500 (2 trainings)".
  static func names(of trials: [MemoryTrial]) -> [String] {
    groups(trials) { $0 }.map { trial, trials in
      "\(trial.task.rawValue), \(trial.cell.title), lag \(trial.lag) "
        + "(\(trials.count) \(trials.count == 1 ? "training" : "trainings"))"
    }
  }
}
