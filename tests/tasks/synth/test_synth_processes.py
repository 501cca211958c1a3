from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest

from bench.errors import DataError
from tasks.synth.processes import in_order, usable_cores


def test_results_come_in_the_order_of_the_items() -> None:
    assert list(in_order(abs, [-3, 2, -1], workers=1)) == [3, 2, 1]
    assert list(in_order(abs, [-3, 2, -1], workers=2)) == [3, 2, 1]
    assert usable_cores() >= 1


def test_other_processes_do_the_work() -> None:
    assert os.getpid() not in set(in_order(_pid, range(4), workers=2))


def _pid(_: int) -> int:
    return os.getpid()


def _fail(number: int) -> None:
    raise DataError("no", remedy="none", code=f"number/{number}")


def test_an_error_comes_back_whole_and_ends_the_processes() -> None:
    before = set(active_children())
    with pytest.raises(DataError) as raised:
        list(in_order(_fail, range(4), workers=2))
    assert raised.value.code == "number/0"
    assert set(active_children()) == before


def test_ctrl_c_ends_all_at_once_without_a_word_from_the_processes(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from tasks.synth.processes import in_order

def work(number):
    Path({str(tmp_path)!r}, str(number)).touch()
    time.sleep(60)

if __name__ == "__main__":
    try:
        list(in_order(work, range(4), workers=2))
    except KeyboardInterrupt:
        print("stopped")
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("[0-9]"))) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert out.strip() == "stopped"
    assert err == ""
