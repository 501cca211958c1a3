"""The pages as a browser would see them, hostile names, and a site that is built again."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import shutil

import pytest
from leaderboard_samples import card, values
from parsed_page import EVIL, TAGS, Page

from bench.errors import CorruptStoreError, UsageError
from reports.leaderboard.adding import Given, add
from reports.leaderboard.records import LogRecord, Withdrawn
from reports.leaderboard.site import build
from reports.leaderboard.store import Writer

OURS = TAGS | {"caption", "button", "select", "option"}


def built(keeper, tmp_path, **options):
    out = tmp_path / "site"
    build([keeper.store], out, **options)
    return out, Page((out / "index.html").read_text("utf-8"))


def pages(out) -> dict[str, Page]:
    return {str(path.relative_to(out)): Page(path.read_text("utf-8")) for path in sorted(out.rglob("*.html"))}


def test_tables_say_what_they_are_without_colour_or_script(board, tmp_path) -> None:
    out, page = built(board, tmp_path)
    assert page.texts["h2"] == ["Closed division"]
    heads = page.all("th", scope="col")
    assert [head.get("aria-sort") for head in heads] == [None, None, None, "descending", None]
    assert [head["data-first"] for head in heads] == [
        "ascending",
        "descending",
        "descending",
        "descending",
        "ascending",
    ]
    assert len(page.all("th", scope="row")) == 4
    text = " ".join(page.texts["td"])
    assert "rank 1 of 3" in text and "rank 2–3 of 3" in text and "○ self-reported" in text
    assert "Controls: to be looked at, not ranked" in page.texts["th"]
    assert len(page.all("caption")) == 1 and len(page.all("div", role="region", tabindex="0")) == 1
    (filters,) = page.all("div", role="search")
    assert "hidden" in filters
    assert [a["href"] for a in page.all("a", **{"aria-current": "page"})] == ["index.html"]
    assert {path.name for path in out.glob("*.html")} == {"index.html", "board1-1-leak-free.html", "history.html"}


def test_every_page_keeps_to_its_policy_and_every_link_leads_somewhere(board, tmp_path) -> None:
    out, _ = built(board, tmp_path)
    found = pages(out)
    assert len(found) == 7
    for name, page in found.items():
        for tag in ("script", "style"):
            (text,) = page.texts[tag]
            sha = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{sha}'" in page.policy
        assert page.policy.startswith("default-src 'none'") and "unsafe" not in page.policy
        for tag, attributes in page.tags:
            assert tag in OURS, (name, tag)
            assert not [key for key in attributes if key.startswith("on") or key == "style"], (name, attributes)
            for key in ("src", "href"):
                address = attributes.get(key) or "#"
                if address.startswith("https://"):
                    assert tag == "a" and attributes["rel"] == "noopener noreferrer nofollow"
                elif not address.startswith("#"):
                    assert (out / name).parent.joinpath(address).resolve().is_file(), (name, address)


def test_an_entry_has_a_page_with_its_card_and_all_its_numbers(board, tmp_path) -> None:
    out, _ = built(board, tmp_path)
    (loom,) = [each.added for each in board.store.entries() if each.added.label == "Loom"]
    page = Page((out / "entries" / loom.entry / "index.html").read_text("utf-8"))
    assert page.texts["h1"] == ["Loom 1.2"]
    facts = dict(zip(page.texts["dt"], page.texts["dd"], strict=True))
    assert facts["Division"] == "closed" and facts["Description"] == "Weaves tones."
    assert facts["Run"] == loom.run
    rows = page.texts["th"]
    assert any("cqt1-pcc" in text for text in rows) and any("Leak-free" in text for text in rows)
    assert "added, self-reported" in page.texts["td"]


@pytest.mark.parametrize("where", ["label", "song", "prompt", "metric", "reason"])
def test_hostile_names_are_shown_and_do_nothing(rack, keeper, tmp_path, where) -> None:
    keeper.suite = rack.shelf(
        name="evil",
        songs=(EVIL, "South") if where == "song" else ("North", "South"),
        prompt=f"a song {EVIL} cello" if where == "prompt" else "a song with cello",
    )
    name = EVIL if where == "metric" else "cqt1-pcc"
    metric = {"name": name, "identity": f"{name}@1[x]", "direction": "higher", "unit": "", "summary": name}
    value = ("silent", EVIL) if where == "reason" else 0.5
    run = keeper.run("run", 0.5, values={name: value}, metrics=(metric,), label=EVIL if where == "label" else "run")
    add(run, keeper.path, Given(card=card(), examples=1))
    control = keeper.run("control", 0.4, values={name: value}, metrics=(metric,), role="control", label=EVIL)
    add(control, keeper.path)
    out, _ = built(keeper, tmp_path)
    for file, page in pages(out).items():
        assert {tag for tag, _ in page.tags} <= OURS, file
        assert len(page.all("script")) == 1
        for tag, attributes in page.tags:
            assert not [key for key in attributes if key.startswith("on")], (file, tag, attributes)
            assert "javascript" not in (attributes.get("href") or "") + (attributes.get("src") or "")
        html = (out / file).read_text("utf-8")
        assert "<script>alert" not in html and "<img src=x" not in html and "\x1b" not in html and "\u202e" not in html
    for path in out.rglob("*.csv"):
        assert "\x1b" not in path.read_text("utf-8")


def test_names_that_spreadsheets_obey_are_defused(keeper, tmp_path) -> None:
    keeper.add("=HYPERLINK(1)", 0.5)
    out, _ = built(keeper, tmp_path)
    rows = list(csv.DictReader((out / "data" / "leaderboard.csv").open(encoding="utf-8")))
    assert {row["system"] for row in rows} == {"'=HYPERLINK(1)"}


def test_the_data_are_those_of_the_tables(board, tmp_path) -> None:
    out, page = built(board, tmp_path)
    rows = list(csv.DictReader((out / "data" / "leaderboard.csv").open(encoding="utf-8")))
    told = json.loads((out / "data" / "leaderboard.json").read_text("utf-8"))
    assert len(rows) == len(told["rows"]) == 2 * 4 * 2
    (loom,) = [r for r in told["rows"] if (r["system"], r["view"], r["metric"]) == ("Loom", "All tasks", "cqt1-pcc")]
    assert (loom["rank_best"], loom["rank_worst"], loom["ranked"], loom["edits"]) == (1, 1, 3, 12)
    assert any(cell.get("data-value") == str(loom["mean"]) for cell in page.all("td"))
    (control,) = [r for r in told["rows"] if r["role"] == "control" and r["view"] == "All tasks"][:1]
    assert control["unranked"] == "control" and control["rank_best"] is None
    tasks = list(csv.DictReader((out / "data" / f"{loom['entry']}.csv").open(encoding="utf-8")))
    assert len(tasks) == 12 and {row["status"] for row in tasks} == {"generated"}
    mean = sum(float(row["cqt1-pcc@1[16 kHz mono, hop 512, as published]"]) for row in tasks) / 12
    assert mean == pytest.approx(loom["mean"])
    (records,) = json.loads((out / "data" / "history.json").read_text("utf-8"))["stores"]
    assert [LogRecord.parsed(value).hash for value in records] == [each.hash for each in board.store.records]


def test_entries_with_kept_audio_can_be_heard(keeper, tmp_path) -> None:
    keeper.add("Loom", 0.9, Given(card=card(system="Loom"), examples=2), values=values(0.9))
    roots = {"shelf": keeper.suite.roots["shelf"]}
    out, _ = built(keeper, tmp_path, roots=roots)
    (path,) = (out / "entries").glob("*/index.html")
    page = Page(path.read_text("utf-8"))
    assert len(page.all("article")) == 2 and len(page.all("audio")) == 2 * 4
    for audio in page.all("audio"):
        assert (path.parent / audio["src"]).is_file()
    build([keeper.store], out, players=False)
    assert Page(path.read_text("utf-8")).all("audio") == []
    assert not list(out.rglob("*.flac"))


def test_the_same_store_gives_the_same_site(board, tmp_path) -> None:
    build([board.store], tmp_path / "one")
    build([board.store], tmp_path / "two")
    build([board.store], tmp_path / "two")
    one, two = ({p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
                for out in (tmp_path / "one", tmp_path / "two"))  # fmt: skip
    assert one == two


def test_history_shows_every_event_and_withdrawn_entries_lose_their_page(board, tmp_path) -> None:
    out, _ = built(board, tmp_path)
    weft = next(each.added.entry for each in board.store.entries() if each.added.label == "Weft")
    with Writer(board.path) as writer:
        writer.append(Withdrawn(entry=weft, reason="trained on the test set"))
    assert (out / "entries" / weft / "index.html").is_file()
    out, page = built(board, tmp_path)
    assert not (out / "entries" / weft / "index.html").exists() and not (out / "data" / f"{weft}.csv").exists()
    assert not any("Weft" in text for text in page.texts["th"])
    told = Page((out / "history.html").read_text("utf-8"))
    assert told.texts["td"][2] == "withdrawn: trained on the test set"
    assert any("Weft" in text for text in told.texts["td"])


def test_a_site_is_only_built_again_from_a_store_that_goes_on(board, tmp_path) -> None:
    out, _ = built(board, tmp_path)
    before = (out / "index.html").read_bytes()
    shutil.rmtree(board.path)
    board.control("silence", 0.1)
    with pytest.raises(CorruptStoreError, match="another store"):
        build([board.store], out)
    assert (out / "index.html").read_bytes() == before
    build([board.store], tmp_path / "elsewhere")


def test_an_empty_store_and_a_damaged_site_are_told(keeper, tmp_path) -> None:
    keeper.add("Loom", 0.5)
    with Writer(keeper.path) as writer:
        writer.append(Withdrawn(entry=keeper.store.entries()[0].added.entry, reason="x"))
    with pytest.raises(UsageError, match="no entry"):
        build([keeper.store], tmp_path / "site")
    (tmp_path / "site" / "data").mkdir(parents=True)
    (tmp_path / "site" / "data" / "leaderboard.json").write_text("{}")
    with pytest.raises(CorruptStoreError, match="earlier build"):
        build([keeper.store], tmp_path / "site")


def test_no_path_of_the_machine_reaches_the_site(board, tmp_path) -> None:
    out, _ = built(board, tmp_path)
    for path in out.rglob("*"):
        assert not path.is_file() or str(tmp_path).encode() not in path.read_bytes()
    assert re.fullmatch(r"[0-9a-f]{16}", next((out / "entries").iterdir()).name)
