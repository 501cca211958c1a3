"""What building all of PolyEvalPrompts costs, on a data set of full size made for the purpose.

    .venv/bin/python tests/perf/build_polyevalprompts.py --prompts PolyEvalPrompts --folder /tmp/full-size

It writes a tree in MUSDB18-HQ's layout under the 50 real names (noise whose loudness changes, stems that pause, 16 bit,
44.1 kHz; the mixture is the sum), and builds the suite from it in a new process. It prints seconds, the process's
greatest memory, what it read of the disk's bytes, and for each kind of file how often it was opened and how much of its
audio was decoded. With `--medleydb` the tracks of MusicDelta that you have are built too. The tree is kept; a second
call finds it and only builds.

50 songs of 4 minutes take 10.6 GB. `--distinct 4` makes only four and the other 46 hard links to them: 0.85 GB, and all
that is printed stays the same but seconds, where the disk was the limit.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import soundfile

from tasks import threads
from tasks.polyevalprompts import MUSDB18_TEST, PolyEvalPrompts
from tasks.polyevalprompts import suite as builder

RATE = 44_100
STEMS = ("vocals", "drums", "bass", "other")


# -- the data set ---------------------------------------------------------------------------------------------------


def make_tree(root: Path, songs: int, minutes: float, distinct: int) -> None:
    """The first `songs` of the 50 songs; of those beyond `distinct`, links to the files of the others."""
    made: list[Path] = []
    for name in MUSDB18_TEST[:songs]:
        folder = root / "test" / name
        if not folder.is_dir():
            partial = root / f".{name}.part"
            partial.mkdir(parents=True, exist_ok=True)
            if len(made) < distinct:
                make_song(partial, round(minutes * 60 * RATE), seed=len(made))
            else:
                for file in made[len(made) % distinct].iterdir():
                    (partial / file.name).hardlink_to(file)
            folder.parent.mkdir(exist_ok=True)
            partial.rename(folder)
        made.append(folder)


def make_song(folder: Path, frames: int, seed: int) -> None:
    """Four stems and their sum."""
    rng = np.random.default_rng(seed)
    mixture = np.zeros((frames, 2), np.int16)
    for stem in STEMS:
        samples = (rng.integers(-8000, 8000, (frames, 2), np.int16) * loudness(rng, frames)[:, None]).astype(np.int16)
        mixture += samples
        soundfile.write(folder / f"{stem}.wav", samples, RATE, subtype="PCM_16")
    soundfile.write(folder / "mixture.wav", mixture, RATE, subtype="PCM_16")


def loudness(rng: np.random.Generator, frames: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A factor for each sample: a new level every two seconds, and a pause in a third of them."""
    steps = -(-frames // (2 * RATE))
    levels = 10 ** rng.uniform(-1.5, 0, steps) * (rng.uniform(size=steps) > 1 / 3)
    return np.repeat(levels.astype(np.float32), 2 * RATE)[:frames]


# -- the build ------------------------------------------------------------------------------------------------------


@contextmanager
def watched() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """How often libsndfile opened each file, and how many samples of it were decoded."""
    opened, decoded = Counter[str](), Counter[str]()
    start, read = soundfile.SoundFile.__init__, soundfile.SoundFile.read

    def opening(self: soundfile.SoundFile, file: Any, *args: Any, **options: Any) -> None:
        opened[str(file)] += 1
        start(self, file, *args, **options)

    def reading(self: soundfile.SoundFile, *args: Any, **options: Any) -> Any:
        samples = read(self, *args, **options)
        decoded[str(self.name)] += len(samples)
        return samples

    with mock.patch.multiple(soundfile.SoundFile, __init__=opening, read=reading):
        yield opened, decoded


def bytes_read() -> int | None:
    """Bytes that this process has read, of files and all else; None where the system does not tell."""
    counters = Path("/proc/self/io")
    if not counters.is_file():
        return None
    return int(dict(line.split(": ") for line in counters.read_text().splitlines())["rchar"])


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would count the memory of the process that started this one
        return 1024 * int(dict(line.split(":") for line in status.read_text().splitlines())["VmHWM"].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Build in this process and tell what it cost."""
    options = PolyEvalPrompts.Options(prompts=given.prompts, musdb=given.folder, medleydb=given.medleydb)
    original, idle = threads.in_order, peak_memory()
    before, began = bytes_read(), time.perf_counter()
    with (
        watched() as (opened, decoded),
        mock.patch.object(builder, "in_order", lambda work, items: original(work, items, workers=given.workers)),
    ):
        suite = PolyEvalPrompts(options).build()
    seconds = time.perf_counter() - began
    after = bytes_read()
    return {
        "tasks": len(suite.tasks),
        "with_audio": len(suite.available),
        "songs": len(suite.sources),
        "workers": given.workers,
        "seconds": round(seconds, 1),
        "songs_per_second": round(len(suite.sources) / seconds, 2),
        "memory_before_mb": round(idle / 1e6),
        "memory_peak_mb": round(peak_memory() / 1e6),
        "bytes_on_disk": sum(Path(path).stat().st_size for path in opened),
        "bytes_read": after - before if after is not None and before is not None else None,
        "files": by_kind(opened, decoded),
        "starts": sorted({ref.excerpt.start_s for ref in suite.sources.values()}),
        "digest": suite.digest,
    }


def by_kind(opened: Counter[str], decoded: Counter[str]) -> list[dict[str, Any]]:
    """Files that were opened equally often and decoded equally far, counted together."""
    kinds: Counter[tuple[int, float]] = Counter()
    for path, times in opened.items():
        kinds[times, round(decoded[path] / soundfile.info(path).frames, 3)] += 1
    return [
        {"files": count, "opened": times, "share_decoded": share}
        for (times, share), count in sorted(kinds.items(), key=lambda item: -item[1])
    ]


def main() -> None:
    """Make what is not there of the tree, then build from it in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path, required=True, help="folder that holds musdb18_test/ and musicdelta/")
    parser.add_argument("--folder", type=Path, required=True, help="where the tree is, or is to be made")
    parser.add_argument("--medleydb", type=Path, help="a folder in MedleyDB's layout, with real recordings")
    parser.add_argument("--songs", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--distinct", type=int, default=50, help="songs that are not hard links to others")
    parser.add_argument("--workers", type=int, default=threads.SONGS_IN_FLIGHT, help="songs at a time")
    parser.add_argument("--only-build", action="store_true", help="measure here; the tree is there")
    given = parser.parse_args()
    if given.only_build:
        print(json.dumps(measure(given), indent=1))  # noqa: T201
        return
    make_tree(given.folder, given.songs, given.minutes, given.distinct)
    # A new process, so that the memory in which the tree was made does not count.
    subprocess.run([sys.executable, *sys.argv, "--only-build"], check=True)


if __name__ == "__main__":
    main()
