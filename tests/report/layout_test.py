"""What a report looks like: Chromium renders samples as on a screen, on a phone and on paper."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SAMPLES = Path(os.environ["CMPOST_BUILD"]) / "tests/report/sample_reports"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SKIPPED = 77
KINDS = ["normal", "all-well", "stopped", "empty", "hostile"]
SCREENS = {"screen": 1280, "phone": 390, "small phone": 320}

# Looks into the page from outside: the page itself runs no script. In a frame, because the window
# of a browser cannot be as narrow as a phone.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">
<iframe id="page" src="{page}" style="border:0;width:{width}px;height:800px"></iframe><pre id="seen"></pre>
<script>
document.getElementById("page").addEventListener("load", function () {{
  const inner = this.contentDocument, root = inner.documentElement;
  const box = (query) => inner.querySelector(query).getBoundingClientRect();
  const wide = [...inner.querySelectorAll("body *:not(defs):not(defs *)")].filter(
    (one) => one.getBoundingClientRect().right > {width} + 1).map((one) => one.tagName + "." + one.className);
  document.getElementById("seen").textContent = "SEEN " + JSON.stringify({{
    scrollWidth: root.scrollWidth, title: inner.title, scripts: inner.scripts.length,
    images: inner.images.length, links: inner.querySelectorAll("[src],[href]").length,
    sentence: box("h1").bottom, todo: box(".todo li, h2 + p").bottom, lamps: box(".lamps").height,
    wide: wide.slice(0, 5) }}) + " END";
}});
</script>"""


def browse(directory, *words):
    """What Chromium puts out; it gets no network and a profile of its own."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               f"--user-data-dir={directory}/profile", "--allow-file-access-from-files",
               "--proxy-server=127.0.0.1:9", "--window-size=1400,900", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    if done.returncode != 0:
        raise AssertionError(f"chromium ends with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


class Layout(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory()
        cls.directory = Path(cls.held.name)
        subprocess.run([SAMPLES, cls.directory], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.held.cleanup()

    def look(self, kind, width):
        probe = self.directory / "probe.html"
        page = (self.directory / kind / "report.html").as_uri()
        probe.write_text(PROBE.format(page=page, width=width))
        dom = browse(self.directory, "--virtual-time-budget=5000", "--dump-dom", probe.as_uri())
        found = re.search(r"SEEN (\{.*?\}) END", dom, re.DOTALL)
        self.assertTrue(found, dom[-2000:])
        return json.loads(html.unescape(found[1]))

    def paper(self, kind, size="A4"):
        """The text of each page of the PDF."""
        pdf, page = self.directory / f"{kind}.pdf", self.directory / "sized.html"
        page.write_text((self.directory / kind / "report.html").read_text() +
                        f"<style>@page{{size:{size}}}</style>")
        browse(self.directory, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
        text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True,
                              check=True).stdout
        return text.split("\f")[:-1]

    def test_nothing_is_wider_than_the_screen(self):
        for kind in KINDS:
            for name, width in SCREENS.items():
                with self.subTest(kind=kind, screen=name):
                    seen = self.look(kind, width)
                    self.assertLessEqual(seen["scrollWidth"], width)
                    self.assertEqual([], seen["wide"])

    def test_the_first_screen_has_the_sentence_and_what_to_do(self):
        for kind in ["normal", "all-well", "stopped", "empty"]:
            for name, width, height in [("screen", 1280, 800), ("phone", 390, 844)]:
                with self.subTest(kind=kind, screen=name):
                    seen = self.look(kind, width)
                    self.assertGreater(seen["lamps"], 90)
                    self.assertLess(seen["sentence"], height * 0.5)
                    self.assertLess(seen["todo"], height)

    def test_what_others_have_written_is_text_and_nothing_else(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                seen = self.look(kind, 1280)
                self.assertEqual((0, 0, 0), (seen["scripts"], seen["images"], seen["links"]))
                self.assertNotEqual("owned", seen["title"])

    def test_on_paper_it_has_few_pages_and_lines_to_sign(self):
        for kind, size, most in [("empty", "A4", 2), ("all-well", "letter", 3),
                                 ("normal", "A4", 9), ("normal", "letter", 9)]:
            with self.subTest(kind=kind, size=size):
                pages = self.paper(kind, size)
                self.assertLessEqual(len(pages), most)
                self.assertIn("nightly 214", pages[0])
                self.assertIn("What you have to do", pages[0])
                self.assertIn("For the auditor", pages[-1])
                self.assertIn("Reviewed by: place, date, signature", pages[-1])

    def test_on_paper_the_numbers_are_there(self):
        text = re.sub(r"\s+", " ", " ".join(self.paper("normal")))
        for words in ["11 954 of 12 000 requests got what they asked for", "YELLOW: PLEASE LOOK",
                      "5 requests wait for a decision", "cmpost approve TID", "Granted as asked",
                      "did not prove that the sender has the key", "The last 30 runs",
                      "17 731 certificates expire", "41002 to 66010", "sha256sum -c SHA256SUMS"]:
            with self.subTest(words=words):
                self.assertTrue(words in text, words)


if __name__ == "__main__":
    missing = [name for name, there in [("chromium", CHROMIUM), ("pdftotext (package poppler-utils)",
                                                                shutil.which("pdftotext"))] if not there]
    if missing:
        print("skipped: not installed: " + ", ".join(missing) + "; scripts/install-deps.sh extra")
        sys.exit(SKIPPED)
    unittest.main()
