"""Long paths get Windows' prefix, and a folder that refuses says so at once."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from app.core.storage import atomic_file
from app.core.storage.atomic_file import any_length, make_beside, prefixed

LONG = "\\".join(["folder" * 8] * 6)


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("Z:\\out\\short.bin", "Z:\\out\\short.bin"),
        (f"Z:\\{LONG}", f"\\\\?\\Z:\\{LONG}"),
        (f"Z:/a/../{LONG}", f"\\\\?\\Z:\\{LONG}"),
        (f"\\\\server\\share\\{LONG}", f"\\\\?\\UNC\\server\\share\\{LONG}"),
        (f"\\\\?\\Z:\\{LONG}", f"\\\\?\\Z:\\{LONG}"),
    ],
)
def test_windows_prefix(path, made):
    assert prefixed(path) == made


@pytest.mark.skipif(sys.platform == "win32", reason="there it gets a prefix")
def test_elsewhere_a_path_stays():
    assert any_length("/a" * 500) == "/a" * 500


def test_a_new_file_beside_the_target_is_empty_private_and_new(tmp_path):
    target = tmp_path / ("n" * 250)
    made = [make_beside(target) for _ in range(3)]
    assert len({path for _, path in made}) == 3
    for handle, path in made:
        os.write(handle, b"x")
        os.close(handle)
        assert path.parent == tmp_path
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.stat().st_size == 1


def test_a_folder_that_refuses_is_asked_once(tmp_path, monkeypatch):
    tries = []

    def refuse(path, *_more):
        tries.append(path)
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(atomic_file.os, "open", refuse)
    with pytest.raises(PermissionError):
        make_beside(tmp_path / "x")
    assert len(tries) == 1


def test_names_that_are_all_taken_are_an_error_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic_file.secrets, "token_hex", lambda _n: "same")
    handle, _ = make_beside(tmp_path / "x")
    os.close(handle)
    with pytest.raises(FileExistsError):
        make_beside(tmp_path / "x")
