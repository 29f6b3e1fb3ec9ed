"""Exports the drawn icon to PNGs and to a Windows .ico with every size from 16 to 256.

    .venv/bin/python scripts/export_icons.py

The container is written here: an ICONDIR and PNG images behind it ("ICO file format",
Windows Vista and later read PNG entries of every size).
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ICONS = Path(__file__).resolve().parents[1] / "resources" / "icons"
SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)
PNG_SIZES = (16, 32, 48, 128, 256)


def png(renderer: QSvgRenderer, size: int) -> bytes:
    """The icon at one size."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data.data())


def ico(pictures: dict[int, bytes]) -> bytes:
    """An .ico file with these PNGs."""
    head = struct.pack("<HHH", 0, 1, len(pictures))
    at = len(head) + 16 * len(pictures)
    entries = b""
    for size, data in pictures.items():
        side = size % 256  # 0 means 256
        entries += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(data), at)
        at += len(data)
    return head + entries + b"".join(pictures.values())


def main() -> int:
    """Write all files."""
    _app = QGuiApplication(sys.argv[:1])
    renderer = QSvgRenderer(str(ICONS / "ivshmem-scope.svg"))
    pictures = {size: png(renderer, size) for size in SIZES}
    (ICONS / "ivshmem-scope.ico").write_bytes(ico(pictures))
    for size in PNG_SIZES:
        (ICONS / f"ivshmem-scope-{size}.png").write_bytes(pictures[size])
    return 0


if __name__ == "__main__":
    sys.exit(main())
