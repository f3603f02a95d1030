import Foundation
import Plots

/// The parts of the report that a reader can use: text coloured by a unit that they choose.
enum InspectionPage {
  static let style =
    ActivationScale.rules + """
      .panel{position:sticky;top:0;z-index:1;background:var(--paper);padding:.5rem 0;\
      border-bottom:1px solid var(--hairline)}
      .controls{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;align-items:baseline;font-size:.92rem}
      .controls select,.controls input{font:inherit;color:inherit;background:var(--wash);\
      border:1px solid var(--hairline);border-radius:.25rem;padding:.1rem .3rem;max-width:14rem}
      .controls input{width:4.5rem}
      #detail{margin:.45rem 0 0;max-width:none;min-height:4.7em;font-size:.92rem;color:var(--muted);\
      overflow-wrap:anywhere}
      #detail b{color:var(--ink);font-weight:600}
      .guess{display:inline-block;margin-right:1rem;white-space:nowrap;font-variant-numeric:tabular-nums}
      .guess code{background:var(--wash);border-radius:.2rem;padding:0 .25em;color:var(--ink)}
      .read{font:.92rem/1.75 ui-monospace,"SF Mono",Menlo,Consolas,monospace;white-space:pre-wrap;\
      overflow-wrap:anywhere;tab-size:4;margin:1rem 0;cursor:default}
      .read i[data-here]{outline:2px solid var(--ink);outline-offset:-1px}
      #read:focus-visible{outline-offset:.4rem}
      summary{cursor:pointer;margin:.5rem 0;font-weight:600}
      details p{margin:.2rem 0 .4rem}
      #shown{display:none}
      @media print{.panel{position:static}#detail,.controls label{display:none}#shown{display:inline}.read{font-size:8pt}\
      #read,#read:focus-visible,.read i[data-here]{outline:none}}

      """

  /// Pieces of text as coloured elements, one each.
  static func spans(_ pieces: [(text: String, activation: Float)]) -> HTML {
    var html = ""
    var previous = ""
    for (piece, activation) in pieces {
      let colour = ActivationScale.cssClass(activation)
      switch piece {
      case "\n": html += "<i class=\"\(colour) e\(previous == "\r" ? " f" : "")\"></i>\n"
      case "\r": html += "<i class=\"\(colour) e\"></i>"
      default: html += "<i class=\"\(colour)\">\(HTML.escaped(piece))</i>"
      }
      previous = piece
    }
    return HTML(raw: html)
  }

  /// What stands above the text: what colours it, and what is known about the character in focus.
  static func panel(
    layers: Int, size: Int, unit: UnitName, marks: [String], mark: Int?, isRange: Bool
  ) -> HTML {
    let layerChoices = (0..<layers).map { layer -> HTML in
      "<option value=\"\(layer)\"\(layer == unit.layer ? " selected" : "")>\(layer)</option>"
    }
    let markChoices = marks.enumerated().map { index, name -> HTML in
      "<option value=\"\(index)\"\(index == mark ? " selected" : "")>\(name)</option>"
    }
    let steps = ActivationScale.strengths
    let scale = (-steps...steps).map { step -> HTML in
      HTML(raw: "<i class=\"\(ActivationScale.cssClass(Float(step) / Float(steps)))\"></i>")
    }
    return """
      <div class="panel"><div class="controls">
      <label>Layer <select id="layer">\(layerChoices.joined())</select></label>
      <label>Unit <input id="unit" type="number" min="0" max="\(size - 1)" value="\(unit.unit)"></label>
      <label>Colour <select id="colour"><option value="squashed">from −1 to 1</option>\
      <option value="range"\(isRange ? " selected" : "")>from least to greatest</option>\
      </select></label>
      <label>Underline <select id="mark"><option value="">nothing</option>\(markChoices.joined())\
      </select></label>
      <span id="shown"></span>
      <span class="scale"><span id="least">−1</span> \
      <span role="img" aria-label="from blue over no colour to red">\(scale.joined())</span> \
      <span id="greatest">1</span></span>
      </div>
      <p id="detail" role="status">Point at a character, or move through the text with the arrow \
      keys, to see what the model expects next.</p></div>

      """
  }

  /// How the page comes alive: paints the text for the chosen unit, underlines what a probe labels,
  /// and tells about the character in focus.
  static let script = """
    (() => {
      const find = id => document.getElementById(id);
      const data = JSON.parse(find("data").textContent);
      const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
      const words = text => new Uint16Array(bytes(text).buffer);
      const values = bytes(data.values), next = words(data.next), chances = words(data.chances);
      const marks = data.marks.map(mark => ({ ...mark, labels: bytes(mark.labels) }));
      const read = find("read"), cells = [...read.querySelectorAll("i")], count = cells.length;
      const lineEnds = cells.map(cell => [...cell.classList].slice(1).map(n => " " + n).join(""));
      const index = new Map(cells.map((cell, i) => [cell, i]));
      let focus = -1;

      const layer = () => +find("layer").value;
      const unit = () => Math.min(Math.max(Math.trunc(+find("unit").value) || 0, 0),
        data.layers[layer()].size - 1);
      const row = () => data.layers.slice(0, layer()).reduce((sum, l) => sum + l.size, unit());
      const mark = () => marks[find("mark").value];
      const value = i => Math.sinh((values[row() * count + i] - 127) / 127 * data.scales[row()]);
      const squashed = v => data.layers[layer()].isSquashed ? Math.tanh(v) : v;
      const number = v => (v < 0 ? "−" : "") +
        (Math.abs(v) < 100 ? Math.abs(v).toFixed(2) : Math.round(Math.abs(v)));

      // What is blue, and what is red.
      const ends = () => {
        if (find("colour").value === "squashed") return [-1, 1];
        let least = Infinity, greatest = -Infinity;
        for (let i = 0; i < count; i++) {
          least = Math.min(least, value(i));
          greatest = Math.max(greatest, value(i));
        }
        return [least, Math.max(greatest, least + 1e-6)];
      };

      const paint = () => {
        const isSquashed = find("colour").value === "squashed", [least, greatest] = ends();
        const labels = mark()?.labels;
        const name = data.layers[layer()].signal;
        const what = isSquashed && data.layers[layer()].isSquashed ? `tanh(${name})` : name;
        find("least").textContent = `${what} ${number(least)}`;
        find("greatest").textContent = number(greatest);
        find("shown").textContent = `unit ${layer()}:${unit()}` +
          (mark() ? `, underlined: ${mark().name}` : "");
        cells.forEach((cell, i) => {
          const v = isSquashed ? squashed(value(i)) : value(i);
          const step = Math.round(20 * Math.min(Math.max((v - least) / (greatest - least), 0), 1)) - 10;
          cell.className = (step < 0 ? "n" + -step : step > 0 ? "p" + step : "z") + lineEnds[i];
          const share = labels && labels[i] < 255 ? labels[i] / 254 : 0;
          cell.style.boxShadow = share > 0
            ? `inset 0 -.16em color-mix(in srgb, var(--ink) ${Math.round(100 * share)}%, transparent)`
            : "";
        });
        find("unit").max = data.layers[layer()].size - 1;
        tell();
      };

      const shown = text => text === "" ? "line end" : text === " " ? "space" : text;
      const tell = () => {
        if (focus < 0) return;
        const detail = find("detail"), m = mark();
        const line = document.createElement("span");
        const name = document.createElement("b");
        name.textContent = shown(cells[focus].textContent);
        const signal = data.layers[layer()].signal;
        line.append(name, `, unit ${layer()}:${unit()}: ${signal} = ${number(value(focus))}`);
        if (m) {
          const label = m.labels[focus];
          line.append(`, ${m.name}: ` + (label === 255 ? "doesn’t apply" : m.kind === "yes_no"
            ? (label ? "yes" : "no") : +(m.low + (m.high - m.low) * label / 254).toFixed(m.isWhole ? 0 : 2)));
        }
        detail.replaceChildren(line, document.createElement("br"), "next: ");
        for (let k = 0; k < 5; k++) {
          const chance = chances[focus * 5 + k];
          if (!chance && k) break;
          const guess = document.createElement("span"), token = document.createElement("code");
          guess.className = "guess";
          token.textContent = data.tokens[next[focus * 5 + k]];
          guess.append(token, ` ${(chance / 100).toFixed(chance < 995 ? 1 : 0)} %`);
          detail.append(guess);
        }
        const gates = data.layers[layer()].gates.map(gate =>
          `${gate.name} ${gate.shut[unit()]} % and ${gate.open[unit()]} %`);
        if (gates.length) {
          detail.append(document.createElement("br"),
            `the unit’s gates are shut and open in this part of the time: ${gates.join(", ")}`);
        }
      };

      const look = i => {
        if (i < 0 || i >= count) return;
        cells[focus]?.removeAttribute("data-here");
        focus = i;
        cells[i].setAttribute("data-here", "");
        tell();
      };

      // The character in the line above or below that is nearest to this one.
      const beside = direction => {
        const here = cells[focus].getBoundingClientRect();
        let best = -1, distance = Infinity, line = null;
        for (let i = focus + direction; i >= 0 && i < count; i += direction) {
          const box = cells[i].getBoundingClientRect();
          if (Math.abs(box.top - here.top) < 4) continue;
          if (line !== null && Math.abs(box.top - line) > 4) break;
          line = box.top;
          if (Math.abs(box.left - here.left) < distance) {
            best = i;
            distance = Math.abs(box.left - here.left);
          }
        }
        return best < 0 ? focus : best;
      };

      const keys = {
        ArrowRight: () => focus + 1, ArrowLeft: () => Math.max(focus - 1, 0),
        ArrowDown: () => beside(1), ArrowUp: () => beside(-1),
        Home: () => 0, End: () => count - 1
      };
      read.addEventListener("keydown", event => {
        if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        look(focus < 0 ? 0 : keys[event.key]());
        cells[focus].scrollIntoView({ block: "nearest" });
      });
      read.addEventListener("focus", () => { if (focus < 0) look(0); });
      // Not pointerover, which also comes when the text scrolls under a pointer at rest.
      read.addEventListener("pointermove", event => {
        const i = index.get(event.target) ?? -1;
        if (i !== focus) look(i);
      });
      read.addEventListener("click", event => look(index.get(event.target) ?? -1));

      const choose = () => {
        const chosen = find("mark").value;
        history.replaceState(null, "",
          `#unit=${layer()}:${unit()}` + (chosen === "" ? "" : `&mark=${chosen}`));
        paint();
      };
      for (const id of ["layer", "unit", "mark", "colour"]) find(id).addEventListener("input", choose);
      find("unit").addEventListener("change", () => { find("unit").value = unit(); });

      const follow = () => {
        const found = /^#unit=(\\d+):(\\d+)(?:&mark=(\\d+))?$/.exec(location.hash);
        if (!found || !data.layers[found[1]]) return paint();
        find("layer").value = found[1];
        find("unit").value = Math.min(+found[2], data.layers[found[1]].size - 1);
        find("mark").value = found[3] ?? "";
        find("colour").value = mark()?.kind === "graded" ? "range" : "squashed";
        paint();
        find("viewer").scrollIntoView();
        read.focus({ preventScroll: true });
      };
      addEventListener("hashchange", follow);
      addEventListener("beforeprint", () => {
        for (const part of document.querySelectorAll("details")) part.open = true;
      });
      follow();
    })();
    """
}
