"""Small YAML and JSON files from anyone: what is refused, and that it is refused at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from bench.errors import DataError
from tasks.multitrack.metadata import MAX_BYTES, read_json, read_yaml


class Card(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    name: str
    tags: list[str] = []


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: 'Nought <b>'\ntags: [x, y]\n")
    (tmp_path / "a.json").write_text('{"name": "夜", "tags": []}', encoding="utf-8")
    assert read_yaml(tmp_path / "a.yaml", Card, remedy="r", code="c").tags == ["x", "y"]
    assert read_json(tmp_path / "a.json", Card, remedy="r", code="c").name == "夜"


_LAUGHS = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 9)]
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_LAUGHS, r"line 2: aliases \(\*a0\)"),
        ("name: &n x\ntags: [*n]", "aliases"),
        ("tags: " + "[" * 50_000, "nested more than 16"),
        ("{a: " * 50_000, "nested more than 16"),
        ("name: " + "x" * MAX_BYTES, "larger than"),
        ("name: a\nname: b", "line 2: the name 'name' is given twice"),
        ("? [a, b]\n: c", "cannot be a name"),
        ("name: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("name: 1979", "name: Input should be a valid string"),
        ("name: no", "name: Input should be a valid string"),
        ("name: a\ntag: b", "tag: Extra inputs are not permitted"),
        ("name: a\ntags: [1]", r"tags\.0: "),
        ("- name", "top level: "),
        ("", "top level: "),
        ("name: [", "while parsing"),
        ("name: a\n---\nname: b", "single document"),
        ("name: \x00", "cannot be used"),
        ("name: " + "9" * 5000, "cannot be used"),
    ],
)  # fmt: skip
def test_bad_yaml_names_file_and_place(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(DataError, match=says) as caught:
        read_yaml(tmp_path / "a.yaml", Card, remedy="Mend it.", code="data/card")
    assert (caught.value.code, caught.value.where) == ("data/card", str(tmp_path / "a.yaml"))
    assert len(caught.value.cause) < 400


@pytest.mark.parametrize("text", ['{"name": "a", "name": "b"}', "[]", '{"name": NaN}', '{"a":' * 50_000, "\udcff"])
def test_bad_json_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match="cannot be used"):
        read_json(tmp_path / "a.json", Card, remedy="Mend it.", code="data/card")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(DataError, match="cannot be used"):
            read_yaml(path, Card, remedy="Mend it.", code="data/card")
