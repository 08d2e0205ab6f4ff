"""The report of real runs: one file, true to its numbers, every text escaped, every link good."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.commands.report import write_page
from clinic_sim.errors import ConfigError, StoreError
from clinic_sim.reports.document import report
from clinic_sim.reports.formats import cell
from clinic_sim.reports.html import account_line, render
from clinic_sim.reports.table import RunTable
from clinic_sim.reports.tables import NUMERIC, point_of
from clinic_sim.reports.words import Words

RUNS = ("played", "lossy", "begun", "all_failed", "one_case", "one_episode")
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"&{{7*7}}"
Rewrite = Callable[[Path, Path, Callable[[str, Any], Any]], Path]
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """What a browser would make of a page, as far as the tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.cells: dict[str, list[dict[str, Any]]] = {}
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self._table = ""
        self._cell: dict[str, Any] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found.get("href")))
        if tag == "table":
            self._table = str(found.get("id") or "")
        if tag == "td" and "data-column" in found:
            self._cell = {**found, "text": ""}
            self.cells.setdefault(self._table, []).append(self._cell)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)
        if tag == "td":
            self._cell = None

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.texts.append(data)
        if self._cell is not None and self.open[-1] == "td":
            self._cell["text"] += data


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_run_has_a_well_formed_page_whose_links_resolve(run: Path, language: str) -> None:
    page = Page(render(report(run), language))
    assert not page.unbalanced
    assert not page.open
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    for link in page.links:
        assert link.startswith("#")
        assert link[1:] in page.ids


def test_a_page_fetches_nothing_and_runs_only_its_own_script(run: Path) -> None:
    text = render(report(run))
    page = Page(text)
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    for tag, attributes in page.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert not {"src", "style"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\(|@import|https?://(?!127\.0\.0\.1)", text)


def test_the_account_stands_first_and_with_every_table(run: Path) -> None:
    found = report(run)
    text = render(found)
    page = Page(text)
    line = account_line(found.accounts, Words.of("en"))
    head = [t for t in page.texts if t.strip()]
    assert line in head[:5]
    tables = [m.start() for m in re.finditer(r'<table id="table-', text)]
    for start in tables:
        after = text.index("</table>", start)
        assert text.index('<p class="account">', after) - after < 60
    assert text.count(f'<p class="account">{line.replace("&", "&amp;")}</p>') >= len(tables)


def test_planned_is_completed_failed_and_skipped_for_each_doctor_too(run: Path) -> None:
    found = report(run)
    account = found.numbers()["accounts"]
    rows = found.tables["accounting"].to_dict()
    for name in ("planned", "completed", "skipped", "scored"):
        assert sum(row[name] for row in rows) == account[name]
    for row in rows:
        assert row["planned"] == row["completed"] + row["failed"] + row["skipped"]
        assert row["completed"] == row["scored"] + row["unscored"]
    assert sum(row["failed"] for row in rows) == sum(account["failed"].values())


def test_the_numbers_of_the_page_are_those_of_the_json(run: Path) -> None:
    found = report(run)
    numbers = json.loads(json.dumps(found.numbers(), allow_nan=False))
    page = Page(render(found))
    words = Words.of("en")
    checked = 0
    for name, table in found.tables.items():
        cells = page.cells.get(f"table-{name}", [])
        if not cells:
            continue
        columns = {column.name: column for column in table.columns}
        for shown in cells:
            column = columns[shown["data-column"]]
            value = numbers["tables"][name][int(shown["data-row"])][column.name]
            if column.kind in NUMERIC:
                point = point_of(value)
                assert (None if point is None else repr(point)) == shown.get("data-value")
                assert shown["text"] == cell(value, column, words)[0]
                checked += 1
    assert checked or not found.accounts.completed


def test_means_are_those_of_the_scorecards(played: Path) -> None:
    by_doctor: dict[str, list[float]] = {}
    for line in (played / "episodes.jsonl").read_text("utf-8").splitlines():
        data = json.loads(line)
        by_doctor.setdefault(data["doctor"], []).append(data["scorecard"]["total"])
    rows = {row["doctor"]: row for row in report(played).tables["headline"].to_dict()}
    assert rows.keys() == by_doctor.keys()
    for doctor, totals in by_doctor.items():
        assert rows[doctor]["total"]["value"] == pytest.approx(sum(totals) / len(totals))
        assert (rows[doctor]["episodes"], rows[doctor]["cases"]) == (16, 4)
        assert rows[doctor]["total"]["low"] < rows[doctor]["total"]["value"] < rows[doctor]["total"]["high"]


def test_the_better_doctor_comes_first_in_tables_and_differences(played: Path) -> None:
    tables = report(played).tables
    assert [row[0] for row in tables["headline"].rows] == ["checklist", "guess"]
    (difference,) = tables["contrasts"].to_dict()
    assert (difference["first"], difference["second"], difference["pairs"], difference["cases"]) == (
        "checklist",
        "guess",
        16,
        4,
    )
    assert difference["difference"]["value"] > 0


def test_a_banked_score_starts_at_nothing_and_ends_at_the_mean(played: Path) -> None:
    tables = report(played).tables
    means = {row["doctor"]: row["total"]["value"] for row in tables["headline"].to_dict()}
    for spent in ("turns", "money"):
        points = tables[f"curve_banked_{spent}"].to_dict()
        for doctor, mean in means.items():
            own = [p["banked"]["value"] for p in points if p["doctor"] == doctor]
            assert own[-1] == pytest.approx(mean)
            assert own == sorted(own)
        checklist = [
            p["evidence"]["value"] for p in tables[f"curve_evidence_{spent}"].to_dict() if p["doctor"] != "guess"
        ]
        assert checklist == sorted(checklist)
        table = RunTable.read(played)
        assert checklist[-1] == pytest.approx(table.floats["coverage"][table.factors["doctor"] == 0].mean(), abs=1e-4)


def test_failed_and_unscored_episodes_are_counted_shown_and_no_zero(lossy: Path) -> None:
    found = report(lossy)
    assert found.accounts.to_dict() == {
        "planned": 4,
        "completed": 2,
        "failed": {"Unavailable": 2},
        "skipped": 0,
        "scored": 0,
        "unscored": {"judge_failed": 2},
    }
    assert all(row["total"]["value"] is None for row in found.tables["headline"].to_dict())
    assert {row["failure"] for row in found.tables["failures"].to_dict()} == {"Unavailable"}
    assert sorted(e.why for e in found.episodes) == ["failed", "failed", "unscored", "unscored"]
    assert all("Unavailable" in e.failure for e in found.episodes if e.why == "failed")
    assert all(e.turns for e in found.episodes)


def test_a_turn_says_what_it_revealed_and_verdicts_link_both_ways(played: Path) -> None:
    found = report(played, each=1)
    best = next(e for e in found.episodes if e.why == "best" and e.doctor == "checklist")
    facts = [r for turn in best.turns for line in turn.lines for r in line.revealed]
    assert len({r.id for r in facts}) == len(facts)
    assert all(r.statement for r in facts)
    assert best.money == pytest.approx(sum(turn.money for turn in best.turns))
    places = {turn.anchor for turn in best.turns} | {x.anchor for t in best.turns for x in (*t.lines, *t.quiet)}
    cited = {
        (link.anchor, place)
        for turn in best.turns
        for place, links in [(turn.anchor, turn.cited), *((x.anchor, x.cited) for x in turn.lines)]
        for link in links
    }
    verdicts = [v for _, _, own in best.dimensions for v in own]
    assert any(v.evidence for v in verdicts)
    for verdict in verdicts:
        for link in verdict.evidence:
            assert link.anchor in places
            assert (verdict.anchor, link.anchor) in cited


def test_worst_and_best_are_the_extremes_of_each_doctor_in_different_cases(played: Path) -> None:
    found = report(played, each=2)
    table = RunTable.read(played)
    for doctor, name in enumerate(table.doctors):
        totals = table.floats["total"][table.factors["doctor"] == doctor]
        own = [e for e in found.episodes if e.doctor == name]
        assert [e.why for e in own] == ["worst", "worst", "best", "best"]
        assert own[0].total == totals.min()
        assert own[2].total == totals.max()
        for why in ("worst", "best"):
            assert len({e.case for e in own if e.why == why}) == 2
    assert report(played, each=0).episodes == ()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_hostile_texts_of_cases_doctors_and_transcripts_stay_text(
    played: Path, lossy: Path, tmp_path: Path, language: str, rewrite: Rewrite
) -> None:
    fields = {
        *("text", "name", "reason", "quote", "message", "department", "pack", "doctor", "doctors", "personas", "plan"),
        *("diagnosis", "treatment", "basis", "exams", "facts", "criterion", "kind", "source", "model", "failure"),
        *("unscored", "ended", "outcome", "setting", "code", "hash"),
    }

    def poison(name: str, value: Any) -> Any:
        return f"{value}{EVIL}" if name in fields and isinstance(value, str) and value else value

    for run in (played, lossy):
        clean = Page(render(report(run), language))
        text = render(report(rewrite(run, tmp_path / run.name, poison)), language)
        page = Page(text)
        assert not page.unbalanced
        assert "alert(1)" in " ".join(page.texts)
        assert "<script>alert" not in text
        assert "<img" not in text
        assert sum(tag == "script" for tag, _ in page.tags) == 1
        assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
        assert {tag for tag, _ in page.tags} == {tag for tag, _ in clean.tags}
        assert "&49" not in text
        assert {link[1:] for link in page.links} <= set(page.ids)


def test_half_a_surrogate_pair_that_a_model_wrote_spoils_nothing(
    played: Path, lossy: Path, tmp_path: Path, rewrite: Rewrite
) -> None:
    for run in (played, lossy):
        broken = rewrite(run, tmp_path / run.name, lambda name, v: f"{v}\ud83d" if name == "text" and v else v)
        write_page(tmp_path / "page.html", render(report(broken)))
        assert "</html>" in (tmp_path / "page.html").read_text("utf-8")


def test_a_figure_says_in_words_what_it_shows_and_has_its_numbers(played: Path) -> None:
    text = render(report(played))
    figures = re.findall(r'<figure id="figure-([a-z_]+)">(.*?)</figure>', text, re.DOTALL)
    assert {"scores", "dimensions", "contrasts_figure", "curve_banked_turns", "tradeoff_exam_money"} <= dict(
        figures
    ).keys()
    for name, body in figures:
        svg = body[body.index("<svg") :]
        assert 'role="img"' in svg
        assert f'aria-labelledby="figure-{name}-title figure-{name}-desc"' in svg
        assert re.search(rf'<title id="figure-{name}-title">[^<]+</title>\s*<desc id="figure-{name}-desc">[^<]+<', svg)
    assert len(re.findall(r"nan|inf\b", "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL)))) == 0


def test_every_word_is_there_in_both_languages_and_every_label_of_a_page_is_translated(run: Path) -> None:
    english, chinese = Words.of("en"), Words.of("zh")
    found = report(run)
    for table in found.tables.values():
        for column in table.columns:
            if not column.heading:
                key = column.name.rpartition(":")[2]
                assert chinese.has(f"column.{column.name}") or chinese.has(f"value.{key}"), column.name
    page = Page(render(found, "zh"))
    assert any(tag == "html" and a["lang"] == "zh-Hans" for tag, a in page.tags)
    shown = {text.strip() for text in page.texts}
    for key in ("column.total", "section.headline", "section.episodes", "purpose", "note.intervals", "figure.scores"):
        assert english(key) not in shown
        assert chinese(key) != english(key)


def test_the_words_of_both_languages_take_the_same_values() -> None:
    lines = list(_words())
    assert len({key for key, _, _ in lines}) == len(lines)
    for key, english, chinese in lines:
        assert english.strip(), key
        assert chinese.strip(), key
        slots = [sorted(re.findall(r"{(\w+)", text)) for text in (english, chinese)]
        assert sorted(set(slots[0])) == sorted(set(slots[1])), key


def _words() -> Iterator[tuple[str, str, str]]:
    from importlib import resources

    text = resources.files("clinic_sim.reports").joinpath("data", "report_words.tsv").read_text("utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            key, english, chinese = line.split("\t")
            yield key, english, chinese


def test_only_the_episodes_that_are_shown_are_read(played: Path, tmp_path: Path) -> None:
    full = report(played, each=1)
    table = RunTable.read(played)
    shown = {episode.key for episode in full.episodes}
    blank = tmp_path / played.name
    blank.mkdir()
    for name in ("manifest.json", "plan.yaml", "index.jsonl"):
        (blank / name).write_bytes((played / name).read_bytes())
    lines = (played / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) > len(shown)
    kept = (x if key in shown else b"#" * (len(x) - 1) + b"\n" for x, key in zip(lines, table.keys, strict=True))
    (blank / "episodes.jsonl").write_bytes(b"".join(kept))
    assert render(report(blank, each=1)) == render(full)


def test_small_strata_are_marked_and_factors_that_vary_have_rows(played: Path) -> None:
    tables = report(played, each=0).tables
    strata = tables["strata"].to_dict()
    assert {row["stratum"] for row in strata} == {"department", "difficulty", "language", "setting", "rarity", "pack"}
    assert {row["flag"] for row in strata} == {"few_cases"}
    languages = [row for row in strata if row["stratum"] == "language"]
    assert [(row["label"], row["episodes"], row["cases"]) for row in languages] == [("en", 16, 2), ("zh", 16, 2)]
    assert [(row["stratum"], row["label"]) for row in tables["clinics"].to_dict()] == [
        ("persona", "plain"),
        ("persona", "terse"),
        ("seed", "0"),
        ("seed", "1"),
    ]
    shares = [row["share"] for row in tables["components"].to_dict() if row["share"] is not None]
    assert sum(shares) == pytest.approx(1.0)


def test_model_cost_is_a_mean_and_unknown_as_soon_as_one_call_had_no_price(
    played: Path, tmp_path: Path, rewrite: Rewrite
) -> None:
    spent = {"calls": 3, "failed_calls": 1, "tokens_in": 1000, "tokens_out": 200, "cost": 0.25}
    known = rewrite(played, tmp_path / "known", lambda name, value: spent.get(name, value))
    tables = report(known, each=0).tables
    assert {row["model_cost"] for row in tables["headline"].to_dict()} == {0.25}
    for row in tables["spending"].to_dict():
        assert (row["calls"], row["failed_calls"], row["tokens_in"], row["cost_total"]) == (48, 16, 16_000, 4.0)
    rows = [json.loads(line) for line in (known / "index.jsonl").read_text("utf-8").splitlines()]
    rows[0]["cost"] = None
    (known / "index.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    tables = report(known, each=0).tables
    assert {row["doctor"]: row["model_cost"] for row in tables["headline"].to_dict()} == {
        "checklist": "unknown",
        "guess": 0.25,
    }
    assert "1 not shown" not in render(report(known, each=0))  # one known cost alone is no trade-off to draw


def test_the_same_run_gives_the_same_bytes(played: Path) -> None:
    assert render(report(played)) == render(report(played))


def test_a_case_that_was_moved_or_edited_is_told_by_its_verdicts(
    played: Path, tmp_path: Path, rewrite: Rewrite
) -> None:
    moved = rewrite(played, tmp_path / "moved", lambda name, value: "gone/nowhere" if name == "pack" else value)
    best = next(e for e in report(moved).episodes if e.why == "best" and e.doctor == "checklist")
    facts = [r for turn in best.turns for line in turn.lines if line.kind == "patient" for r in line.revealed]
    assert facts
    assert sum(bool(r.statement) for r in facts) >= len(facts) // 2


def test_what_is_no_run_and_a_language_without_words_are_said(tmp_path: Path, played: Path) -> None:
    with pytest.raises(StoreError, match="no run"):
        report(tmp_path)
    with pytest.raises(ConfigError, match="en, zh"):
        render(report(played, each=0), "fr")
