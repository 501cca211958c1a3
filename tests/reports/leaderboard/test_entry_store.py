"""The store only grows, and tells when it did not."""

from __future__ import annotations

import json
import shutil

import pytest
from leaderboard_samples import audit_of, card, values

from bench.errors import BenchError, CorruptStoreError, DataError, IncompleteError, LockedError
from bench.identity import digest
from bench.store.lock import DirectoryLock
from reports.leaderboard.adding import Given, add
from reports.leaderboard.records import Withdrawn
from reports.leaderboard.store import EntryStore, Writer
from reports.load import load
from reports.submission.check import check
from reports.submission.pack import pack_run
from reports.submission.score import to_run


def code_of(call, *arguments) -> str:
    with pytest.raises(BenchError) as caught:
        call(*arguments)
    assert caught.value.remedy
    return caught.value.code


def test_an_entry_can_be_read_like_the_run_that_it_was(keeper) -> None:
    stored = keeper.add("Loom", 0.9, failed=("shelf/0/edit1",))
    (entry,) = EntryStore.open(keeper.path).entries()
    entry.verify()
    assert entry == stored
    here, there = load(keeper.rack.folder / "Loom"), load(entry.folder)
    assert there.estimates == here.estimates and there.coverage == here.coverage
    assert there.scores.equals(here.scores)
    assert not list(entry.folder.rglob("*.flac"))
    assert str(keeper.rack.folder) not in (entry.folder / "suite.jsonl").read_text("utf-8")


def test_what_is_there_is_not_added_twice(keeper) -> None:
    first = keeper.add("Loom", 0.9)
    again, new = add(keeper.rack.folder / "Loom", keeper.path, Given(card=card(system="Loom")))
    assert (again, new) == (first, False)
    assert len(keeper.store.records) == 1


def test_examples_are_kept_with_their_audio(keeper) -> None:
    stored = keeper.add("Loom", 0.9, Given(card=card(), examples=3))
    assert stored.added.examples == 3
    assert len(list(stored.folder.rglob("*.flac"))) == 3


# -- the chain --------------------------------------------------------------------------------------------------------


@pytest.fixture
def chain(keeper, tmp_path):
    """Gives the code after a change to the log of a fresh copy of a store of three records, the last a withdrawal."""
    stored = keeper.add("Loom", 0.5)
    keeper.control("copy-source", 0.5)
    with Writer(keeper.path) as writer:
        writer.append(Withdrawn(entry=stored.added.entry, reason="a mistake"))
    assert len(EntryStore.open(keeper.path).records) == 3

    def after(name, change) -> str:
        copied = shutil.copytree(keeper.path, tmp_path / name)
        change(copied / "log")
        return code_of(EntryStore.open, copied)

    return after


def edited(path, **body) -> dict:
    value = json.loads(path.read_text("utf-8"))
    value["body"] |= body
    return value


def sealed_anew(path) -> None:
    value = edited(path, label="Other")
    del value["hash"]
    path.write_text(json.dumps({**value, "hash": digest(value)}))


CHANGES = {
    "changed": lambda log: (log / "000002.json").write_text(json.dumps(edited(log / "000002.json", label="Other"))),
    "changed-and-sealed": lambda log: sealed_anew(log / "000001.json"),
    "middle": lambda log: (log / "000002.json").unlink(),
    "last": lambda log: (log / "000003.json").unlink(),
    "first": lambda log: (log / "000001.json").unlink(),
    "copied": lambda log: shutil.copy(log / "000001.json", log / "000004.json"),
    "renamed": lambda log: (log / "000001.json").rename(log / "000009.json"),
    "twice": lambda log: (log / "000003.json").write_bytes(b'{"a": 1, "a": 2}'),
    "empty": lambda log: (log / "000003.json").write_bytes(b""),
    "no-head": lambda log: (log.parent / "head.json").unlink(),
    "other-head": lambda log: (log.parent / "head.json").write_text('{"first": "x", "number": 1, "hash": "y"}'),
}


def test_any_change_of_the_history_is_found(chain) -> None:
    assert {name: chain(name, change) for name, change in CHANGES.items()} == dict.fromkeys(
        CHANGES, "corrupt/entry-log"
    )


def test_a_changed_or_lost_file_of_an_entry_is_found(keeper) -> None:
    stored = keeper.add("Loom", 0.9)
    path = stored.folder / "scores.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    assert code_of(stored.verify) == "corrupt/entry-log"
    path.unlink()
    assert code_of(stored.verify) == "corrupt/entry-log"


def test_a_head_that_was_kept_finds_a_history_that_was_written_anew(keeper) -> None:
    keeper.add("Loom", 0.9)
    kept = keeper.store.head
    shutil.rmtree(keeper.path)
    keeper.add("Weft", 0.5)
    keeper.add("Warp", 0.5)
    with pytest.raises(CorruptStoreError, match="rewritten"):
        keeper.store.require(kept)
    assert code_of(keeper.store.require_hash, kept.hash) == "corrupt/entry-log"
    keeper.store.require_hash(keeper.store.head.hash[:16])
    assert code_of(keeper.store.require_hash, "12\x1b") == "leaderboard/head"


def test_a_kill_between_record_and_head_is_mended_by_the_next_record(keeper) -> None:
    keeper.add("Loom", 0.9)
    before = (keeper.path / "head.json").read_bytes()
    keeper.add("Weft", 0.5)
    (keeper.path / "head.json").write_bytes(before)
    assert len(keeper.store.records) == 2
    keeper.add("Warp", 0.5)
    assert keeper.store.head.number == 3


def test_one_writer_at_a_time_and_never_into_a_foreign_folder(keeper, tmp_path) -> None:
    run = keeper.run("Loom", 0.9)
    keeper.path.mkdir()
    with DirectoryLock(keeper.path), pytest.raises(LockedError):
        add(run, keeper.path, Given(card=card()))
    foreign = tmp_path / "home"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("dear")
    assert code_of(add, run, foreign, Given(card=card())) == "leaderboard/no-store"
    assert [each.name for each in foreign.iterdir()] == ["letter.txt"]
    assert code_of(EntryStore.open, foreign) == "leaderboard/no-store"
    assert code_of(EntryStore.open, tmp_path / "nowhere") == "leaderboard/no-store"


# -- what may become an entry -----------------------------------------------------------------------------------------


def test_a_method_needs_a_card_and_a_control_none(keeper) -> None:
    assert code_of(add, keeper.run("Loom", 0.9), keeper.path) == "leaderboard/no-card"
    stored = keeper.control("copy-source", 0.9)
    assert stored.added.card is None and stored.added.origin == "self-reported"


def test_an_unfinished_or_unscored_run_is_refused(keeper) -> None:
    pending = keeper.run("Loom", 0.9, pending=("shelf/0/edit0",))
    with pytest.raises(IncompleteError, match="1 of 12"):
        add(pending, keeper.path, Given(card=card()))
    with pytest.raises(IncompleteError, match="no scores"):
        add(keeper.run("Weft", 0.9, scored=False), keeper.path, Given(card=card()))
    assert not keeper.path.exists()


def test_a_card_of_other_seeds_is_refused(keeper) -> None:
    with pytest.raises(DataError, match="seeds"):
        add(keeper.run("Loom", 0.9), keeper.path, Given(card=card(seeds=[0, 1])))


def test_provenance_grows_from_scored_to_audited(keeper, tmp_path) -> None:
    run, archive = keeper.scored("Loom", 0.9, tmp_path / "loom.zip")
    stored, _ = add(run, keeper.path, Given(archive=archive))
    assert (stored.added.origin, stored.audit) == ("scored", None)
    audit = audit_of(archive, keeper.suite, tmp_path / "audit.json")
    stored, new = add(run, keeper.path, Given(archive=archive, audit=audit))
    assert not new and stored.audit is not None and stored.audit.reproduced
    assert (keeper.path / "audits" / f"{stored.audit.audit}.json").read_bytes() == audit.read_bytes()
    add(run, keeper.path, Given(archive=archive, audit=audit))
    assert [record.body.event for record in keeper.store.records] == ["added", "audited"]


def test_archive_run_card_and_audit_must_be_of_one_submission(keeper, tmp_path) -> None:
    run, archive = keeper.scored("Loom", 0.9, tmp_path / "loom.zip")
    other_run, other = keeper.scored("Weft", 0.5, tmp_path / "weft.zip")
    audit = audit_of(other, keeper.suite, tmp_path / "audit.json")
    plain = keeper.run("Warp", 0.5)
    for path, given in [
        (run, Given(archive=other)),
        (plain, Given(card=card(), archive=archive)),
        (run, Given(card=card(system="Loom", version="2"), archive=archive)),
        (run, Given(archive=archive, audit=audit)),
        (run, Given(audit=audit)),
        (run, Given(archive=run / "run.json")),
        (other_run, Given(archive=tmp_path / "nowhere.zip")),
    ]:
        assert code_of(add, path, keeper.path, given) == "leaderboard/unfit", given
    assert not keeper.path.exists()


def test_only_a_systems_current_entry_is_superseded_and_only_by_itself(keeper) -> None:
    old = keeper.add("Loom", 0.5).added.entry
    weft = keeper.run("Weft", 0.5)
    assert code_of(add, weft, keeper.path, Given(card=card(system="Weft"), supersedes=old)) == "leaderboard/supersedes"
    assert code_of(add, weft, keeper.path, Given(card=card(), supersedes="0" * 16)) == "no-entry"
    newer = Given(card=card(version="2"), supersedes=old)
    new, _ = add(keeper.run("loom2", 0.9), keeper.path, newer)
    assert keeper.store.entry(old).superseded_by == new.added.entry
    third = keeper.run("loom3", 0.7, values=values(0.7))
    assert code_of(add, third, keeper.path, newer) == "leaderboard/supersedes"


def test_a_real_submission_goes_all_the_way(keeper, rack, tmp_path) -> None:
    made = keeper.run("Loom", 0.9, status="x")
    claims = card(system="Loom", description="Real audio.")
    pack_run(made, claims, tmp_path / "loom.zip")
    checked = check(tmp_path / "loom.zip", keeper.suite)
    checked.fingerprints.write(tmp_path / "prints.json")
    run = to_run(tmp_path / "loom.zip", checked.require(), keeper.suite, tmp_path / "scored")
    samples = type(rack).run.__globals__
    samples["score"](run, (samples["CQT"], samples["DPD"]), values(0.9), 0.05, {})
    given = Given(archive=tmp_path / "loom.zip", fingerprints=tmp_path / "prints.json")
    stored, _ = add(run.path, keeper.path, given)
    stored.verify()
    assert (stored.added.origin, stored.added.card) == ("scored", claims)
    assert (stored.folder / "fingerprints.json").is_file()
    (keeper.path / "entries" / "prints.json").write_bytes(b"{}")
    with pytest.raises(DataError, match="fingerprints"):
        add(
            run.path,
            keeper.path,
            Given(archive=tmp_path / "loom.zip", fingerprints=keeper.path / "entries" / "prints.json"),
        )
