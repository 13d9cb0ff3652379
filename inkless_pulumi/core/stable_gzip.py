"""Gzip whose output depends on the input alone.

The bytes that zlib writes are no part of any specification: they differ between its versions and
replacements (zlib-ng is the default of some distributions). User data is compared byte by byte by
the cloud's provider, and a difference replaces the machine. So a deployment from another laptop
must write the same bytes, and compression is done here: LZ77 with a greedy longest match, and the
fixed Huffman codes of RFC 1951, section 3.2.6, in the frame of RFC 1952.
"""

import zlib
from typing import Final

_HEADER: Final = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255])
_SHORTEST_MATCH: Final = 3
_LONGEST_MATCH: Final = 258
_WINDOW: Final = 32768
_CANDIDATES: Final = 64
"""Earlier occurrences tried for each match; more costs time and hardly saves bytes."""
_END_OF_BLOCK: Final = 256


def _base_table(first: int, extra_bits: list[int]) -> list[tuple[int, int]]:
    """RFC 1951, section 3.2.5: the smallest value and the number of extra bits of each code."""
    table = []
    for bits in extra_bits:
        table.append((first, bits))
        first += 1 << bits
    return table


_LENGTHS: Final = [
    *_base_table(3, [0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4),
    (_LONGEST_MATCH, 0),
]
_DISTANCES: Final = _base_table(1, [0, 0, *(bits // 2 for bits in range(28))])


class _Bits:
    """A bit stream, least significant bit first."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._pending = 0
        self._count = 0

    def write(self, value: int, count: int) -> None:
        self._pending |= value << self._count
        self._count += count
        while self._count >= 8:
            self._bytes.append(self._pending & 0xFF)
            self._pending >>= 8
            self._count -= 8

    def write_code(self, code: int, count: int) -> None:
        """Huffman codes go in with their most significant bit first."""
        self.write(int(f"{code:0{count}b}"[::-1], 2), count)

    def finish(self) -> bytes:
        if self._count:
            self._bytes.append(self._pending)
        return bytes(self._bytes)


def compress(data: bytes) -> bytes:
    """`data` as one gzip member, without a name and without a time."""
    trailer = zlib.crc32(data).to_bytes(4, "little") + (len(data) % 2**32).to_bytes(4, "little")
    return _HEADER + _deflate(data) + trailer


def _deflate(data: bytes) -> bytes:
    bits = _Bits()
    bits.write(1, 1)  # the last block
    bits.write(1, 2)  # fixed Huffman codes
    earlier: dict[bytes, list[int]] = {}
    position = 0
    while position < len(data):
        length, distance = _longest_match(data, position, earlier)
        if length:
            _write_match(bits, length, distance)
        else:
            length = 1
            _write_symbol(bits, data[position])
        for place in range(position, position + length):
            earlier.setdefault(data[place : place + _SHORTEST_MATCH], []).append(place)
        position += length
    _write_symbol(bits, _END_OF_BLOCK)
    return bits.finish()


def _longest_match(data: bytes, position: int, earlier: dict[bytes, list[int]]) -> tuple[int, int]:
    """Length and distance of the longest repetition that begins here; (0, 0) without one."""
    limit = min(_LONGEST_MATCH, len(data) - position)
    best, distance = 0, 0
    for start in reversed(
        earlier.get(data[position : position + _SHORTEST_MATCH], [])[-_CANDIDATES:]
    ):
        if position - start > _WINDOW:
            break
        length = 0
        while length < limit and data[start + length] == data[position + length]:
            length += 1
        if length > best:
            best, distance = length, position - start
    return (best, distance) if best >= _SHORTEST_MATCH else (0, 0)


def _write_symbol(bits: _Bits, symbol: int) -> None:
    """The fixed code of a literal, a length or the end of the block (RFC 1951, section 3.2.6)."""
    if symbol < 144:
        bits.write_code(0x30 + symbol, 8)
    elif symbol < 256:
        bits.write_code(0x190 + symbol - 144, 9)
    elif symbol < 280:
        bits.write_code(symbol - 256, 7)
    else:
        bits.write_code(0xC0 + symbol - 280, 8)


def _write_match(bits: _Bits, length: int, distance: int) -> None:
    code = _code_of(_LENGTHS, length)
    _write_symbol(bits, 257 + code)
    bits.write(length - _LENGTHS[code][0], _LENGTHS[code][1])
    code = _code_of(_DISTANCES, distance)
    bits.write_code(code, 5)
    bits.write(distance - _DISTANCES[code][0], _DISTANCES[code][1])


def _code_of(table: list[tuple[int, int]], value: int) -> int:
    """The last code whose smallest value is not above `value`."""
    return max(code for code, (smallest, _) in enumerate(table) if smallest <= value)
