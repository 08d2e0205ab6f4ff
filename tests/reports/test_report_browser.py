"""The pages in a real browser: nothing fetched, nothing complained of, every link leads somewhere, it prints."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.reports.against import against
from clinic_sim.reports.compare_page import render_comparison
from clinic_sim.reports.document import report
from clinic_sim.reports.html import render

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)


@pytest.fixture(scope="module")
def browser(played: Path, begun: Path, all_failed: Path) -> Iterator[Any]:
    # The runs come first: an open browser holds the thread's event loop, which a sweep needs too.
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with sync.sync_playwright() as playwright:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield opened
        opened.close()


class Visit:
    """A page opened from disk, with all that went wrong."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.page = self.context.new_page()
        self.page.on("console", lambda m: self.wrong.append(m.text))
        self.page.on("pageerror", lambda e: self.wrong.append(str(e)))
        self.page.on("requestfailed", lambda r: self.wrong.append(r.url))
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.on("dialog", lambda d: (self.wrong.append(d.message), d.dismiss()))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self.context.close()
        if kind is None:
            assert self.wrong == []
            assert len(self.asked) == 1


def written(folder: Path, text: str) -> Path:
    path = folder / "page.html"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_opens_without_a_complaint_and_every_link_works(
    browser: Any, played: Path, tmp_path: Path, language: str
) -> None:
    path = written(tmp_path, render(report(played, each=1), language))
    with Visit(browser, path) as page:
        links = page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
        assert len(links) > 100
        assert page.evaluate("all => all.filter(h => !document.getElementById(h.slice(1)))", links) == []
        # Each kind of link, clicked: the folded episode opens and the target comes into view.
        for kind in (".verdicts a", ".cited a", "nav a"):
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = d.matches('.episode'))")
            link = page.locator(kind).nth(3)
            target = link.get_attribute("href")
            link.click()
            page.wait_for_function(
                "h => { const e = document.getElementById(h.slice(1)).getBoundingClientRect();"
                "return e.height > 0 && e.top < innerHeight && e.bottom > 0; }",
                arg=target,
            )


def test_a_link_into_a_folded_episode_unfolds_it(browser: Any, played: Path, tmp_path: Path) -> None:
    path = written(tmp_path, render(report(played, each=1)))
    with Visit(browser, path) as page:
        assert not page.locator("#x0").evaluate("e => e.open")
        page.evaluate("location.hash = document.querySelector('#x0 .turn:last-child').id")
        page.wait_for_function("document.getElementById('x0').open")
        page.click("button[data-toggle=close]")
        assert page.locator("details.episode[open]").count() == 0
        page.click("button[data-toggle=open]")
        assert page.locator("details.episode:not([open])").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_are_there_to_see_in_light_and_dark(browser: Any, played: Path, tmp_path: Path, scheme: str) -> None:
    path = written(tmp_path, render(report(played)))
    with Visit(browser, path, color_scheme=scheme) as page:
        boxes = page.eval_on_selector_all("svg", "all => all.map(s => s.getBoundingClientRect().toJSON())")
        assert len(boxes) >= 8
        assert all(box["width"] > 300 and box["height"] > 60 for box in boxes)
        outside = page.eval_on_selector_all(
            "svg text",
            "all => all.filter(t => { const b = t.getBoundingClientRect(), s = "
            "t.closest('svg').getBoundingClientRect();"
            "return b.left < s.left - 2 || b.right > s.right + 2 || b.top < s.top - 2 || b.bottom > s.bottom + 2; })"
            ".map(t => t.textContent)",
        )
        assert outside == []
        ink, ground = (page.evaluate(f"getComputedStyle(document.body).{p}") for p in ("color", "backgroundColor"))
        assert (sum(_rgb(ink)) > sum(_rgb(ground))) == (scheme == "dark")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_telephone_shows_it_without_scrolling_sideways(browser: Any, played: Path, tmp_path: Path) -> None:
    path = written(tmp_path, render(report(played)))
    with Visit(browser, path) as page:
        page.set_viewport_size({"width": 390, "height": 800})
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_prints_without_its_transcripts(browser: Any, played: Path, tmp_path: Path) -> None:
    path = written(tmp_path, render(report(played)))
    with Visit(browser, path) as page:
        page.evaluate("document.querySelectorAll('details.episode').forEach(d => d.open = true)")
        assert page.locator(".turn").first.is_visible()
        page.emulate_media(media="print")
        assert not page.locator(".turn").first.is_visible()
        assert page.locator("details.episode summary").first.is_visible()
        assert page.locator("svg").first.is_visible()
        pdf = page.pdf()
        assert pdf.startswith(b"%PDF")
        assert 20_000 < len(pdf) < 5_000_000


def test_hostile_texts_do_nothing_in_a_browser(browser: Any, played: Path, tmp_path: Path, rewrite: Any) -> None:
    evil = "</script><script>alert(1)</script><img src=//evil.example/x onerror=alert(2)>"
    fields = ("text", "reason", "department", "doctors", "personas", "plan", "treatment", "name")
    run = rewrite(
        played, tmp_path / "run", lambda name, v: f"{v}{evil}" if name in fields and isinstance(v, str) and v else v
    )
    path = written(tmp_path, render(report(run)))
    with Visit(browser, path) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert "alert(1)" in page.inner_text("main")
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1


def test_a_run_without_episodes_opens_too(browser: Any, begun: Path, all_failed: Path, tmp_path: Path) -> None:
    for run in (begun, all_failed):
        with Visit(browser, written(tmp_path, render(report(run)))) as page:
            assert page.locator("#account").is_visible()


def test_a_comparison_opens_without_a_complaint(browser: Any, played: Path, tmp_path: Path) -> None:
    path = written(tmp_path, render_comparison(against(played, played, "checklist", "guess")))
    with Visit(browser, path) as page:
        assert page.locator("svg").count() == 2
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _rgb(colour: str) -> list[int]:
    return [int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
