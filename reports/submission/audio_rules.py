"""Whether the audio of a submission is audio, of the right length, and nobody else's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.metrics.loudness import clipped_share
from bench.store.outcomes import Key
from bench.store.zip_members import ZipMembers
from bench.suite import Suite
from bench.task import EditTask, Source
from reports.submission import prints
from reports.submission.copies import Heard, Reference, comparable, heard, likeness
from reports.submission.decoder import Decoder
from reports.submission.edits import EditError, durations, read_edit
from reports.submission.model import Entry
from reports.submission.prints import ClipPrint, Fingerprints
from reports.submission.rules import Findings

SILENT_PEAK = 1e-4
"""-80 dB re full scale."""

CLIPPED, CLIPPED_THROUGH = 0.1, 5.0
"""Percent of the samples at full scale."""

MOST_COPIES = 0.1
"""Share of the edits that may be copies, of the source or of another entry."""


class AudioRules:
    """Hears the entries of one submission, one after the other, and then says what all of them together show.

    Args:
        members: of the archive. decoder: for its audio.
        suite: whose tasks they are; None if nobody said.
        others: entries that they are compared with. findings: to add to.
    """

    def __init__(
        self,
        members: ZipMembers,
        decoder: Decoder,
        suite: Suite | None,
        others: Sequence[Fingerprints],
        findings: Findings,
    ):
        self._members, self._decoder, self._suite, self._findings = members, decoder, suite, findings
        self._others = [entry for entry in others if suite is None or comparable(entry, suite.digest)]
        self._tasks: dict[str, EditTask] = {task.id: task for task in suite.tasks} if suite else {}
        self._durations = durations(suite) if suite else {}
        self._source: Source | None = None
        self._references: dict[str, Reference] = {}
        self.prints: list[ClipPrint] = []
        self.copied: list[Entry] = []
        self.compared = 0
        self.unreachable: dict[str, str] = {}
        """Sources whose audio could not be read, with the reason."""
        self._alike: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._alike_first: dict[int, Entry] = {}

    def hear(self, entry: Entry) -> None:
        """Apply the rules on one entry that has a member without flaw."""
        where = str(entry.member)
        try:
            clip = read_edit(self._members, self._decoder, entry, self._durations.get(entry.task))
        except EditError as error:
            self._findings.add(error.code, where, str(error))
            return
        if clip.peak < SILENT_PEAK:
            self._findings.add("audio/silent", where, f"its peak is {clip.peak:.1e} of full scale")
        share = clipped_share(clip.samples)
        if share > CLIPPED:
            code = "audio/clipped-through" if share > CLIPPED_THROUGH else "audio/clipped"
            self._findings.add(code, where, f"{share:.1f} % of its samples are at full scale")
        self._compare(entry, clip)

    # -- against the source and other entries --------------------------------------------------------------------------

    def _compare(self, entry: Entry, clip: Clip) -> None:
        samples = prints.mono(clip)
        edit = heard(clip, samples)
        self.prints.append(ClipPrint.of(entry.key, edit.sha256, edit.bits))
        reference = self._reference(entry)
        if reference is not None:
            self.compared += 1
            if reference.is_copy(samples):
                self.copied.append(entry)
        self._compare_entries(entry, edit, reference)

    def _compare_entries(self, entry: Entry, edit: Heard, reference: Reference | None) -> None:
        for number, other in enumerate(self._others):
            found = likeness(edit, other.by_task.get(entry.task, ()), None if reference is None else reference.bits)
            if found:
                self._alike[number][found] += 1
                self._alike_first.setdefault(number, entry)

    def _reference(self, entry: Entry) -> Reference | None:
        task = self._tasks.get(entry.task)
        if self._suite is None or task is None or task.source is None or task.source in self.unreachable:
            return None
        if self._source is None or self._source.id != task.source:
            self._references.clear()
            try:
                self._source = self._suite.open(task.source)
            except (DataError, AudioError) as error:
                self.unreachable[task.source] = error.cause
                return None
        if task.stem not in self._references:
            self._references[task.stem] = Reference.of(self._source, task.stem)
        return self._references[task.stem]

    # -- all of them --------------------------------------------------------------------------------------------------

    @property
    def copies(self) -> float | None:
        """Share of the edits that are copies of their source; None if none could be compared."""
        return len(self.copied) / self.compared if self.compared else None

    def conclude(self, made: int) -> None:
        """The rules on all edits together.

        Args:
            made: entries that have a member.
        """
        if self.copied:
            share = len(self.copied) / self.compared
            first = ", ".join(str(entry.member) for entry in self.copied[:3])
            what = f"{len(self.copied)} of {self.compared} edits ({share:.0%}) are copies of their source"
            self._findings.add("copy/source" if share > MOST_COPIES else "copy/source-some", first, what)
        for number, counts in self._alike.items():
            other, total = self._others[number], counts.total()
            what = (
                f"{total} of {made} edits are those of {other.system} {other.version} "
                f"({counts['same']} to the sample, {counts['near']} by their sound)"
            )
            code = "copy/entry" if total > MOST_COPIES * made else "copy/entry-some"
            self._findings.add(code, str(self._alike_first[number].member), what)
        self._conclude_within()

    def _conclude_within(self) -> None:
        """What the submission's own edits have in common."""
        tasks: defaultdict[str, set[str]] = defaultdict(set)
        of_task: defaultdict[str, list[str]] = defaultdict(list)
        for each in self.prints:
            tasks[each.sha256].add(each.task)
            of_task[each.task].append(each.sha256)
        for sha, names in tasks.items():
            if len(names) > 1:
                self._findings.add(
                    "copy/repeated", ", ".join(sorted(names)[:3]), f"{len(names)} tasks have {sha[:16]}…"
                )
        several = [hashes for hashes in of_task.values() if len(hashes) > 1]
        if several and all(len(set(hashes)) == 1 for hashes in several):
            self._findings.add("seeds/identical", "all tasks", f"{len(several[0])} seeds gave the same audio")


def in_source_order(entries: Sequence[Entry], suite: Suite | None) -> list[Entry]:
    """Entries so that those of one source follow each other: each source is then read once."""
    if suite is None:
        return list(entries)
    sources = {task.id: str(task.source) for task in suite.tasks}
    first: dict[str, int] = {}
    for number, entry in enumerate(entries):
        first.setdefault(sources.get(entry.task, ""), number)
    order: dict[Key, int] = {entry.key: first[sources.get(entry.task, "")] for entry in entries}
    return sorted(entries, key=lambda entry: order[entry.key])
