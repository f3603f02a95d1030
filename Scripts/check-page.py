#!/usr/bin/env python3
"""Opens a report in headless Chromium, and takes screenshots.

    python3 Scripts/check-page.py report.html [--screenshots FOLDER]

Looks at the page in light and dark, narrow, and in print. In that of `unfold inspect` it chooses
layers and units, points at characters, walks through the text by keyboard, and follows a link of the
rankings. Prints a line a check and
exits with 1 if one fails; with 77 if there is no Chromium. Speaks the DevTools protocol over pipes,
so that it needs nothing but Python and Chromium (CHROMIUM names another executable).
"""

import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


class Browser:
    """Chromium, spoken to in JSON that ends in a zero byte, over descriptors 3 and 4."""

    def __init__(self, executable, profile):
        to_browser, self.out = os.pipe()
        self.into, from_browser = os.pipe()

        def connect():
            # Both ends may stand at 3 or 4 already: move them out of the way first.
            reading, writing = os.dup2(to_browser, 103), os.dup2(from_browser, 104)
            os.dup2(reading, 3, inheritable=True)
            os.dup2(writing, 4, inheritable=True)

        self.process = subprocess.Popen(
            [executable, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--disable-dev-shm-usage", f"--user-data-dir={profile}", "--remote-debugging-pipe",
             "about:blank"],
            preexec_fn=connect, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.rest, self.session, self.events = 0, b"", None, []

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def read(self):
        while b"\0" not in self.rest:
            part = os.read(self.into, 1 << 20)
            if not part:
                raise RuntimeError("Chromium has ended")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def open(self, url):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call(
            "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Network", "Log"]:
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def run(self, expression):
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']['text']}")
        return result["result"].get("value")

    def wait(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > end:
                raise RuntimeError(f"never: {condition}")
            time.sleep(0.05)

    def key(self, name):
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "ArrowDown": 40, "ArrowUp": 38, "Home": 36,
                 "End": 35, "Tab": 9, "Enter": 13}
        for kind in ["rawKeyDown", "keyUp"]:
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name,
                      windowsVirtualKeyCode=codes[name])

    def point(self, selector):
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()")
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def look(self, width, height, theme, media=""):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": theme}])

    def close(self):
        self.process.kill()
        self.process.wait()


def luminance(colour):
    parts = [c / 255 for c in colour]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


# The colours of ink and of each strength over the paper, as they are painted.
COLOURS = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const body = getComputedStyle(document.body);
  const over = colour => {
    for (const c of [body.backgroundColor, colour]) { canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const probe = document.createElement("i");
  document.querySelector("#read").append(probe);
  const steps = ["n10", "n5", "z", "p5", "p10"].map(name => {
    probe.className = name;
    return over(getComputedStyle(probe).backgroundColor);
  });
  const ink = over(getComputedStyle(probe).color);
  probe.remove();
  return {ink, steps};
})()"""

# The colours of the words in a chart and of what they stand on.
INK = """(() => {
  const rgb = colour => colour.match(/[0-9.]+/g).slice(0, 3).map(Number);
  return [rgb(getComputedStyle(document.querySelector("figure svg text")).fill),
    rgb(getComputedStyle(document.body).backgroundColor)];
})()"""

CONTEXT = """(() => { const i = document.querySelector("#read i[data-here]");
  return i ? [...document.querySelectorAll("#read i")].indexOf(i) : -1; })()"""


def shoot(page, folder, name):
    if folder:
        data = page.call("Page.captureScreenshot", format="png")["data"]
        (folder / f"{name}.png").write_bytes(base64.b64decode(data))


def check(page, folder):
    """Yields what was checked, and whether it was so."""
    page.look(1100, 900, "light")
    if page.run("!!document.querySelector('#viewer')"):
        yield from check_viewer(page, folder)
    yield from check_charts(page, folder)
    yield from check_page(page, folder)


def check_viewer(page, folder):
    """The text of an inspection, and what can be done with it."""
    def shot(name):
        shoot(page, folder, name)

    yield "the text is there", page.run("document.querySelectorAll('#read i').length") > 15
    classes = "[...document.querySelectorAll('#read i')].map(i => i.className).join()"
    before = page.run(classes)
    yield "the text is coloured before the script runs", "p" in before or "n" in before
    shot("light")

    page.run("document.querySelector('#viewer').scrollIntoView()")
    page.run("(() => { const u = document.querySelector('#unit'); u.value = +u.value ? +u.value - 1 : 1;"
             "u.dispatchEvent(new Event('input', {bubbles: true})); })()")
    yield "another unit paints the text anew", page.run(classes) != before
    yield "the address names the unit", page.run("location.hash").startswith("#unit=")
    layers = page.run("document.querySelector('#layer').options.length")
    painted = page.run(classes)
    page.run(f"(() => {{ const l = document.querySelector('#layer'); l.value = (+l.value + 1) % {layers};"
             "l.dispatchEvent(new Event('input', {bubbles: true})); })()")
    yield "another layer too", layers == 1 or page.run(classes) != painted

    page.point("#read i:nth-of-type(9)")
    detail = "document.querySelector('#detail').textContent"
    guesses = "[...document.querySelectorAll('.guess')].map(g => parseFloat(g.textContent.split(' ').at(-2)))"
    yield "pointing at a character shows five predictions", page.run(
        "document.querySelectorAll('.guess').length") == 5
    chances = page.run(guesses)
    yield "the likeliest first, together at most 100 %", (
        chances == sorted(chances, reverse=True) and 0 <= sum(chances) <= 100.5)
    yield "and says how far the unit is", " = " in page.run(detail)
    gated = page.run("JSON.parse(document.querySelector('#data').textContent).layers[0].gates.length > 0")
    yield "and how often its gates are shut, if it has some", ("shut and open" in page.run(detail)) == gated
    shot("predictions")

    page.run("document.querySelector('#read').focus()")
    page.key("Home")
    here = page.run(CONTEXT)
    page.key("ArrowRight")
    page.key("ArrowRight")
    yield "arrow keys walk through the text", (here, page.run(CONTEXT)) == (0, 2)
    page.key("ArrowDown")
    below = page.run(CONTEXT)
    tops = page.run("(() => { const c = document.querySelectorAll('#read i');"
                    f"return [2, {below}].map(i => c[i].getBoundingClientRect().top); }})()")
    yield "down goes to the next line", below > 2 and tops[1] > tops[0]
    page.key("ArrowUp")
    yield "up goes back to the line above", page.run(
        "(() => { const c = document.querySelectorAll('#read i');"
        f"return Math.abs(c[{CONTEXT}].getBoundingClientRect().top - c[{below}].getBoundingClientRect().top) > 4; }})()")
    page.key("End")
    yield "end goes to the last character", page.run(CONTEXT) == page.run(
        "document.querySelectorAll('#read i').length") - 1
    yield "the text can be reached by keyboard and says what it is", page.run(
        "(() => { const r = document.querySelector('#read');"
        "return r.tabIndex === 0 && !!r.getAttribute('aria-label'); })()")

    link = page.run("(() => { const a = document.querySelector('a[href^=\"#unit=\"]');"
                    "if (!a) return null; const [, l, u, m] = /unit=(\\d+):(\\d+)&mark=(\\d+)/.exec(a.hash);"
                    "a.click(); return [l, u, m]; })()")
    if link:
        page.wait(f"document.querySelector('#unit').value === '{link[1]}'", 5)
        chosen = page.run("['layer', 'unit', 'mark'].map(id => document.getElementById(id).value)")
        yield "a link of the rankings chooses its unit and question", chosen == link
    shot("linked")
    painted = page.run(classes)
    page.run("(() => { const c = document.querySelector('#colour'); c.selectedIndex = 1 - c.selectedIndex;"
             "c.dispatchEvent(new Event('input', {bubbles: true})); })()")
    yield "the colours can be stretched", page.run(classes) != painted
    shot("recoloured")

    for theme in ["light", "dark"]:
        page.look(1100, 900, theme)
        found = page.run(COLOURS)
        worst = min(contrast(found["ink"], step) for step in found["steps"])
        yield f"the text stands out in {theme} (contrast {worst:.1f})", worst >= 4.5
    shot("dark")


def check_charts(page, folder):
    """Charts, in light and dark."""
    yield "there are charts", page.run("document.querySelectorAll('figure svg').length") > 0
    for theme in ["light", "dark"]:
        page.look(1100, 900, theme)
        page.run("scrollTo(0, 0)")
        shoot(page, folder, f"top-{theme}")
        ink, paper = page.run(INK)
        found = contrast(ink, paper)
        yield f"the names in charts stand out in {theme} (contrast {found:.1f})", found >= 4.5
    yield "each chart says what it shows", page.run(
        "[...document.querySelectorAll('figure svg')].every(s => s.getAttribute('aria-label')"
        " || s.querySelector('title') || s.getAttribute('aria-labelledby'))")


def check_page(page, folder):
    """What any page should do."""
    page.look(380, 800, "light")
    yield "a narrow screen needs no sideways scrolling", page.run(
        "document.documentElement.scrollWidth <= innerWidth")
    page.run("(document.querySelector('#viewer') ?? document.querySelector('figure')).scrollIntoView()")
    shoot(page, folder, "narrow")
    page.look(1100, 900, "dark")
    pdf = base64.b64decode(page.call("Page.printToPDF", printBackground=False)["data"])
    yield "it prints", len(pdf) > 10_000
    yield "with all parts open", page.run(
        "[...document.querySelectorAll('details')].every(d => d.open)")
    if folder:
        (folder / "print.pdf").write_bytes(pdf)

    requests = [e["params"]["request"]["url"] for e in page.events
                if e.get("method") == "Network.requestWillBeSent"]
    yield "nothing else is loaded", all(u.startswith(("file:", "data:")) for u in requests)
    problems = [e for e in page.events if e.get("method") == "Runtime.exceptionThrown"
                or e.get("method") == "Log.entryAdded" and e["params"]["entry"]["level"] == "error"]
    yield "nothing goes wrong", not problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    options = parser.parse_args()
    names = [os.environ["CHROMIUM"]] if "CHROMIUM" in os.environ else NAMES
    executable = next((path for path in map(shutil.which, names) if path), None)
    if not executable:
        print("no Chromium here; nothing was checked", file=sys.stderr)
        return 77
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    failures = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        page = Browser(executable, profile)
        try:
            page.open(options.report.resolve().as_uri())
            for claim, holds in check(page, options.screenshots):
                print(("ok    " if holds else "FAILED ") + claim)
                failures += not holds
        finally:
            page.close()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
