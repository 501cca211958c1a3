"""librosa's compiled functions, compiled by one process at a time.
 librosa compiles some functions on their first call and keeps the machine code beside its own files. Two processes that
do so at once on a fresh installation leave an index of one and code of the other, and every later call ends in a
segmentation fault. So each process asks `ready` before it uses librosa: the first one compiles everything that metrics
use, under a lock, and the others load what it left.
"""

from __future__ import annotations

import os
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from filelock import FileLock

from bench.identity import sha256_bytes


@cache
def ready() -> None:
    """Call every compiled function of librosa that metrics use, once a process, under a lock between processes."""
    from librosa import istft, stft
    from librosa.onset import onset_detect
    from librosa.sequence import dtw

    # The lock belongs to this installation of librosa and to this user, whatever cache timbrebench is told to use.
    place = sha256_bytes(str(find_spec("librosa")).encode())[:12]
    with FileLock(Path(tempfile.gettempdir()) / f"timbrebench-{os.getuid()}-{place}.lock"):
        noise = np.random.default_rng(0).normal(size=22_050).astype(np.float32)
        onset_detect(y=noise, sr=22_050, hop_length=256, units="time", backtrack=False)
        istft(stft(noise))
        dtw(C=np.abs(np.subtract.outer(noise[:8], noise[:8])).astype(np.float64))
