"""What the empty list offers to copy, and what it refuses."""

from __future__ import annotations

import shlex
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.discovery.finder import setup_help
from app.core.discovery.qemu_options import parse_options
from app.core.errors import ScopeError


def test_texts() -> None:
    made = setup_help(64 << 20, "looking-glass")
    assert made.qemu_args == (
        "-object memory-backend-file,id=shmem0,mem-path=/dev/shm/looking-glass,size=64M,share=on \\\n"
        "-device ivshmem-plain,memdev=shmem0"
    )
    assert "<shmem name='looking-glass'>" in made.libvirt_xml
    assert "<size unit='M'>64</size>" in made.libvirt_xml
    assert made.tmpfiles == "f /dev/shm/looking-glass 0660 YOUR-USER kvm -"
    assert made.tmpfiles in made.libvirt_xml
    assert made.path == "/dev/shm/looking-glass"


@pytest.mark.parametrize("size", [0, -1, 4096, (1 << 20) - 1, 3 << 20, (1 << 20) + 1])
def test_sizes_that_no_device_has(size: int) -> None:
    with pytest.raises(ScopeError, match="no size for an ivshmem device") as caught:
        setup_help(size, "a")
    assert "would do" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", "a/b", "/", "a'b", 'a"b', "a\\b", "a\nb", "\0", "x" * 256]
)
def test_names_that_no_file_has(name: str) -> None:
    with pytest.raises(ScopeError):
        setup_help(1 << 20, name)


@given(
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=40),
    st.integers(20, 40),
)
def test_a_shell_qemu_and_libvirt_read_the_same_name(name: str, power: int) -> None:
    try:
        made = setup_help(1 << power, name)
    except ScopeError:
        assert (
            not name.strip()
            or name in (".", "..")
            or set(name) & set("/'\"\\")
            or not name.isprintable()
        )
        return
    [backend] = parse_options(shlex.split(made.qemu_args.replace("\\\n", ""))).backends
    assert (backend.path, backend.size, backend.share) == (f"/dev/shm/{name}", 1 << power, True)
    assert backend.ivshmem
    element = ElementTree.fromstring(f"<devices>{made.libvirt_xml}</devices>").find("shmem")
    assert element is not None
    assert element.get("name") == name
    assert int(element.findtext("size") or 0) << 20 == 1 << power
