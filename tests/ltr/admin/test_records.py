from __future__ import annotations

import json
from pathlib import Path

import pytest

from ltr.admin.records import RecordError, read_record, write_record

CONTENT = {"name": "a", "numbers": [1, 2.5, None], "inner": {"x": True}}


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / "r.json", {**CONTENT, "pair": (1, 2), 3: "key"})  # type: ignore[dict-item]
    assert read_record(tmp_path / "r.json") == {**CONTENT, "pair": [1, 2], "3": "key"}


def test_no_flipped_bit_gives_another_content(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_record(path, CONTENT)
    whole = path.read_bytes()
    refused = 0
    for place in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(bytes(damaged))
        try:
            found = read_record(path)
        except RecordError as error:
            refused += 1
            assert str(path) in str(error)
        else:
            found = {key: value for key, value in found.items() if key in CONTENT}  # the sum's own name may be another
            assert found == CONTENT
    assert refused > 0.8 * 8 * len(whole)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[1, 2]", b"{", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b""])
def test_what_is_no_record_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(RecordError, match=r"r\.json is damaged"):
        read_record(tmp_path / "r.json")


def test_a_record_of_another_program_needs_no_sum(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(CONTENT))
    assert read_record(tmp_path / "r.json") == CONTENT
    with pytest.raises(FileNotFoundError):
        read_record(tmp_path / "absent.json")
