"""Rows of bytes: which offsets belong to them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ExpressionError
from app.core.values.byte_block import ByteBlock, parse_shape
from app.core.values.expressions import evaluate


@st.composite
def blocks(draw: st.DrawFn) -> ByteBlock:
    width = draw(st.integers(1, 9))
    rows = draw(st.integers(1, 5))
    return ByteBlock(draw(st.integers(0, 20)), width, rows, width + draw(st.integers(0, 6)))


@settings(max_examples=100)
@given(blocks(), st.integers(0, 60), st.integers(0, 60))
def test_pieces_are_the_offsets_of_its_rows(block: ByteBlock, first: int, length: int) -> None:
    offsets = [
        block.start + row * block.stride + column
        for row in range(block.rows)
        for column in range(block.width)
    ]
    assert (block.length, block.end) == (len(offsets), offsets[-1] + 1)
    within = [at for at in offsets if first <= at < first + length]
    found = [at for low, high in block.pieces(first, first + length) for at in range(low, high)]
    assert found == within
    memory = bytes(range(100))
    assert list(block.take(memory[block.start : block.end])) == offsets
    if not block.whole:
        assert parse_shape(block.shape, block.start, evaluate) == block


def test_a_shape_as_it_is_typed() -> None:
    def shape(text: str) -> ByteBlock | None:
        return parse_shape(text, 0x40, lambda part: evaluate(part), 16)

    assert shape("8 x 4") == shape("8×4") == shape("0x8 x 0x4 every 16") == ByteBlock(64, 8, 4, 16)
    assert shape("10 x 2 every 32") == ByteBlock(64, 10, 2, 32)
    assert shape("256") is shape("0x40") is None
    for wrong in ("17 x 2", "0 x 3", "8 x 0", "8 x 4 every 2", "banana x 2"):
        with pytest.raises(ExpressionError):
            shape(wrong)
    for start, width, rows, stride in ((-1, 1, 1, 1), (0, 4, 2, 3), (0, 1, 0, 1)):
        with pytest.raises(ValueError, match=r"block|overlap"):
            ByteBlock(start, width, rows, stride)
