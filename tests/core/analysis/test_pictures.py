"""Pictures and waveforms of a range, on real memory, against plain loops."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.core.analysis.pictures import FORMATS, U8, Layout, find_stride, render
from app.core.analysis.tails import tail_of
from app.core.analysis.waveforms import Signal, envelope
from app.core.backends.open_region import open_region
from app.core.errors import OutOfRangeError, ValueFormatError
from app.core.protocols.demo_layout import MAGIC, PICTURE
from app.core.protocols.known_pictures import known_pictures
from app.core.region.region import Region, RegionKind, RegionSpec
from app.core.values.value_type import Endian

ShmFile = Callable[..., Path]
WIDTH, HEIGHT = 100, 60


def opened(path: Path) -> Region:
    return open_region(RegionSpec(RegionKind.FILE, str(path)))


def scene(width: int = WIDTH, height: int = HEIGHT) -> U8:
    """Shapes on a gradient, (height, width, 3)."""
    y, x = np.mgrid[0:height, 0:width]
    made = np.stack([x * 255 // width, y * 255 // height, (x + y) & 255], axis=-1)
    made[height // 4 : height // 2, width // 3 : width // 2] = (250, 20, 90)
    made[(x - 70) ** 2 + (y - 40) ** 2 < 100] = (10, 240, 30)
    return made.astype(np.uint8)


def encoded(name: str, rgb: U8) -> U8:
    """(height, bytes) of a picture in a pixel format, and what it can keep of it."""
    alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    if name in ("BGRA", "BGR"):
        rgb = rgb[:, :, ::-1]
    if len(name) == 4 and name != "grey":
        rgb = np.concatenate((rgb, alpha), axis=2)
    if name == "RGB565":
        wide = rgb.astype(np.uint16)
        words = wide[..., 0] >> 3 << 11 | wide[..., 1] >> 2 << 5 | wide[..., 2] >> 3
        return words.astype("<u2").view(np.uint8)
    if name == "grey":
        return np.ascontiguousarray(rgb[:, :, 1])
    if name == "1 bit":
        return np.packbits(rgb[:, :, 1] > 127, axis=1)
    return np.ascontiguousarray(rgb).reshape(len(rgb), -1)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "NV12"])
def test_pixels_of_each_format_with_padding_between_rows(shm_file: ShmFile, name: str) -> None:
    rgb = scene()
    rows = encoded(name, rgb)
    stride = rows.shape[1] + 24
    padded = np.zeros((HEIGHT, stride), np.uint8)
    padded[:, : rows.shape[1]] = rows
    path = shm_file(1 << 16)
    with path.open("r+b") as file:
        file.seek(0x40)
        file.write(padded.tobytes())
    with opened(path) as region:
        layout = Layout(0x40, HEIGHT * stride, name, WIDTH, stride)
        whole = render(region, layout, 1000, 1000)
        coarse = render(region, layout, 50, 1000)
    found = np.frombuffer(whole.rgb, np.uint8).reshape(HEIGHT, WIDTH, 3)
    expected = {
        "RGB565": rgb & np.array([0xF8, 0xFC, 0xF8]),
        "grey": np.repeat(rgb[:, :, 1:2], 3, axis=2),
        "1 bit": np.repeat(np.where(rgb[:, :, 1:2] > 127, 255, 0), 3, axis=2),
    }.get(name, rgb)
    mask = np.array([0xF8, 0xFC, 0xF8]) if name == "RGB565" else np.array([0xFF] * 3)
    assert ((found & mask) == expected).all()
    small = np.frombuffer(coarse.rgb, np.uint8).reshape(coarse.height, coarse.width, 3)
    assert coarse.step == 2
    assert (small == found[::2, ::2]).all()
    assert whole.layout.offset_of(0, 2) == 0x40 + 2 * stride


def test_nv12_is_two_planes(shm_file: ShmFile) -> None:
    luma = np.full((4, 6), 16, np.uint8)
    luma[:2] = 235
    chroma = np.full((2, 6), 128, np.uint8)
    chroma[1, 0:2] = (90, 240)  # red
    luma[2:, 0:2] = 81
    path = shm_file(4096)
    with path.open("r+b") as file:
        file.write(luma.tobytes() + chroma.tobytes())
    with opened(path) as region:
        made = render(region, Layout(0, 36, "NV12", 6), 100, 100)
    rgb = np.frombuffer(made.rgb, np.uint8).reshape(4, 6, 3)
    assert rgb[0, 0].tolist() == [255, 255, 255]
    assert rgb[3, 5].tolist() == [0, 0, 0]
    red = rgb[3, 0].astype(int)
    assert red[0] > 240
    assert red[1:].max() < 15


def test_numbers_that_make_no_picture_are_told_in_words(shm_file: ShmFile) -> None:
    with opened(shm_file(4096)) as region:
        for layout, words in (
            (Layout(0, 4096, "BGRA", 0), "width"),
            (Layout(0, 4096, "BGRA", 1 << 20), "width"),
            (Layout(0, 4096, "BGRA", 100, 10), "more than the stride"),
            (Layout(0, 100, "BGRA", 100), "not one row"),
            (Layout(0, 4096, "plaid", 10), "no pixel format"),
        ):
            with pytest.raises(ValueFormatError, match=words):
                render(region, layout, 100, 100)
        with pytest.raises(OutOfRangeError):
            render(region, Layout(4000, 4096, "grey", 10), 100, 100)


@pytest.mark.parametrize(
    ("name", "padding"), [("BGRA", 0), ("BGRA", 48), ("RGB565", 8), ("grey", 4)]
)
def test_the_stride_is_found(name: str, padding: int) -> None:
    rows = encoded(name, scene(160, 120))
    data = np.pad(rows, ((0, 0), (0, padding))).reshape(-1)
    assert find_stride(data, name) == rows.shape[1] + padding


def test_the_stride_is_found_where_a_channel_never_changes() -> None:
    """As in the demo's picture: two ramps that wrap around, and two constant bytes."""
    y, x = np.mgrid[0:192, 0:256]
    parts = (x + 77 & 255, y + 3 & 255, np.full_like(x, 64), np.full_like(x, 255))
    picture = np.stack(parts, axis=-1).astype(np.uint8)
    picture[40:64, 100:124, :3] = 255
    assert find_stride(picture.reshape(-1), "BGRA") == 1024


def test_no_stride_is_found_in_noise_or_in_nothing() -> None:
    noise = np.random.default_rng(3).integers(0, 256, 100_000, np.uint8)
    assert find_stride(noise, "BGRA") is None
    assert find_stride(np.zeros(100_000, np.uint8), "BGRA") is None
    assert find_stride(np.zeros(5, np.uint8), "BGRA") is None


def test_known_pictures_are_recognised_and_noise_is_not(shm_file: ShmFile) -> None:
    path = shm_file(4 << 20)
    with opened(path) as region:
        assert known_pictures(region) == ()
        region.write(0, MAGIC)
        (demo,) = known_pictures(region)
        assert (demo.start, demo.width) == (PICTURE, 256)
        region.write(0, b"LGMP" + struct.pack("<I", 2) + bytes(8))
        for at, serial in ((0x10000, 7), (0x200000, 8)):
            header = (1, serial, 1, 640, 400, 640, 400, 640, 400, 0, 640, 2560, 4092)
            region.write(at, struct.pack("<13I", *header))
        broken = (1, 9, 1, 640, 400, 640, 400, 640, 400, 0, 640, 2561, 4092)
        region.write(0x180000, struct.pack("<13I", *broken))
        frames = known_pictures(region)
        assert [one.start for one in frames] == [0x201000, 0x11000]
        assert (frames[0].width, frames[0].height, frames[0].stride) == (640, 400, 2560)
        region.write(0x10004, struct.pack("<I", 9))
        places = tuple(one.header for one in frames)
        assert [one.serial for one in known_pictures(region, places)] == [9, 8]


def test_an_envelope_keeps_every_peak_and_leaves_out_what_is_no_number(shm_file: ShmFile) -> None:
    path = shm_file(1 << 16)
    samples = np.zeros((1000, 2), "<i2")
    samples[123, 0], samples[500:, 1] = -32768, 16384
    with path.open("r+b") as file:
        file.write(samples.tobytes())
        file.seek(0x8000)
        file.write(np.array([0.5, np.nan, -0.25, np.inf], "<f4").tobytes())
    with opened(path) as region:
        wave = envelope(region, Signal(0, 4000, "i16", Endian.LITTLE, 2), 100)
        floats = envelope(region, Signal(0x8000, 18, "f32"), 100)
        with pytest.raises(ValueFormatError, match="not one sample"):
            envelope(region, Signal(0, 3, "i32"), 100)
    assert wave.least.shape == (2, 100)
    assert wave.least[0, 12] == -1
    assert np.count_nonzero(wave.least[0]) == 1
    assert wave.greatest[1].tolist() == [0] * 50 + [0.5] * 50
    assert wave.rms[1] == pytest.approx(0.5 / 2**0.5)
    assert floats.samples == 4
    assert np.isnan(floats.least[0, 1])
    assert floats.peak[0] == 0.5


def test_the_end_of_a_text_is_found_behind_it(shm_file: ShmFile) -> None:
    path = shm_file(4 << 20)
    with opened(path) as region:
        assert tail_of(region, 0, region.size, 100, cancelled=lambda: False).data == b""
        region.write(0x100000, b"one line\nanother\n")
        tail = tail_of(region, 0x10, region.size - 0x10, 8, cancelled=lambda: False)
    assert tail.data == b"another\n"
    assert tail.start == 0x100000 + 9
    assert tail.before == tail.start - 0x10
