"""QEMU's command line, in its own form, in libvirt's JSON, and as garbage."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from app.core.discovery.qemu_options import parse_options, split_option


def test_key_value_form() -> None:
    options = parse_options(
        [
            "qemu-system-x86_64",
            "-name",
            "guest=win,,11,debug-threads=on",
            "-object",
            "memory-backend-file,id=shm,mem-path=/dev/shm/a,,b,size=64M,share=on",
            "-device",
            "ivshmem-plain,memdev=shm",
        ]
    )
    assert options.guest == "win,11"
    [backend] = options.backends
    assert (backend.path, backend.size, backend.share) == ("/dev/shm/a,b", 64 << 20, True)
    assert backend.ivshmem
    assert not backend.guest_ram


def test_json_form_says_the_same() -> None:
    file = {
        "qom-type": "memory-backend-file",
        "id": "shm",
        "mem-path": "/dev/shm/a,b",
        "size": 67108864,
        "share": True,
    }
    device = {"driver": "ivshmem-plain", "memdev": "shm", "id": "shmem0"}
    json_form = parse_options(
        ["qemu-kvm", "-object", json.dumps(file), "-device", json.dumps(device)]
    )
    plain_form = parse_options(
        [
            "qemu-kvm",
            "--object",
            "memory-backend-file,id=shm,mem-path=/dev/shm/a,,b,size=64M,share=on",
            "--device",
            "ivshmem-plain,memdev=shm,id=shmem0",
        ]
    )
    assert json_form.backends == plain_form.backends != ()


def test_name_without_a_key_and_share_as_a_bare_word() -> None:
    options = parse_options(
        ["kvm", "-name", "vm", "-object", "memory-backend-file,id=a,mem-path=/x,size=1M,share"]
    )
    assert options.guest == "vm"
    assert options.backends[0].share is True


def test_share_is_off_unless_told_for_files_and_on_for_memfds() -> None:
    options = parse_options(
        [
            "kvm",
            "-object",
            "memory-backend-file,id=a,mem-path=/x,size=1M",
            "-object",
            "memory-backend-memfd,id=b,size=2M",
            "-object",
            "memory-backend-memfd,id=c,size=2M,share=off",
            "-object",
            "memory-backend-ram,id=d,size=2M",
        ]
    )
    assert [(b.identity, b.share, b.path) for b in options.backends] == [
        ("a", False, "/x"),
        ("b", True, ""),
        ("c", False, ""),
    ]


def test_guest_ram_by_machine_numa_and_dimm() -> None:
    backend = "memory-backend-memfd,size=1G,id="
    options = parse_options(
        [
            "kvm",
            "-machine",
            "q35,memory-backend=ram",
            "-numa",
            "node,memdev=node0",
            "-device",
            "pc-dimm,memdev=dimm",
            "-device",
            "ivshmem-plain,memdev=shm",
            *[
                word
                for name in ("ram", "node0", "dimm", "shm")
                for word in ("-object", backend + name)
            ],
        ]
    )
    assert [b.guest_ram for b in options.backends] == [True, True, True, False]
    assert [b.ivshmem for b in options.backends] == [False, False, False, True]


def test_doorbell_sockets() -> None:
    options = parse_options(
        [
            "kvm",
            "-chardev",
            "socket,path=/tmp/ivshmem,id=door",
            "-chardev",
            "socket,path=/no,id=x",
            "-device",
            "ivshmem-doorbell,vectors=4,chardev=door",
        ]
    )
    assert options.doorbells == ("/tmp/ivshmem",)


def test_an_option_at_the_very_end_has_no_value() -> None:
    assert parse_options(["kvm", "-object"]).backends == ()
    assert parse_options([]).backends == ()


def test_sizes_that_are_none() -> None:
    options = parse_options(["kvm", "-object", "memory-backend-file,id=a,mem-path=/x,size=many"])
    assert options.backends[0].size is None


_words = st.text(max_size=60) | st.sampled_from(
    [
        "-object",
        "-device",
        "-name",
        "-machine",
        "-numa",
        "-chardev",
        "memory-backend-file,id=a,,",
        '{"qom-type": "memory-backend-file", "size": [1]}',
        "[]",
        "{",
        '{"a": {"b": NaN}}',
        "ivshmem-plain,memdev=a",
        "[" * 3000,
    ]
)


@given(st.lists(_words, max_size=12))
def test_garbage_never_raises(argv: list[str]) -> None:
    parse_options(argv)


_key = st.text("abcdefgh-", min_size=1, max_size=8)
_value = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(_key, _value, max_size=6))
def test_what_qemu_writes_is_read_back(fields: dict[str, str]) -> None:
    text = ",".join(
        ["driver", *(f"{key}={value.replace(',', ',,')}" for key, value in fields.items())]
    )
    assert split_option(text, "qom-type") == {"qom-type": "driver", **fields}
