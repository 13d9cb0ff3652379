"""Gzip whose output depends on the input alone.

The bytes that zlib writes are no part of any specification: they differ between its versions and
replacements (zlib-ng is the default of some distributions). User data is compared byte by byte by
the cloud's provider, and a difference replaces the machine. So a deployment from another laptop
must write the same bytes, and compression is done here: LZ77 with a greedy longest match, and the
fixed Huffman codes of RFC 1951, section 3.2.6, in the frame of RFC 1952.
"""

import zlib
from bisect import bisect_right
from typing import Final

_HEADER: Final = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255])
_SHORTEST_MATCH: Final = 3
_LONGEST_MATCH: Final = 258
_WINDOW: Final = 32768
_CANDIDATES: Final = 32
"""Earlier occurrences tried for each match; more costs time and hardly saves bytes."""
_END_OF_BLOCK: Final = 256


def _bases(first: int, extra_bits: list[int]) -> list[int]:
    """The smallest value of each code, when each covers 2**bits values (RFC 1951, 3.2.5)."""
    bases = []
    for bits in extra_bits:
        bases.append(first)
        first += 1 << bits
    return bases


_LENGTH_BITS: Final = [*[0] * 8, *[1] * 4, *[2] * 4, *[3] * 4, *[4] * 4, *[5] * 4, 0]
_LENGTH_BASES: Final = [*_bases(3, _LENGTH_BITS[:-1]), _LONGEST_MATCH]
_DISTANCE_BITS: Final = [0, 0, *(bits // 2 for bits in range(28))]
_DISTANCE_BASES: Final = _bases(1, _DISTANCE_BITS)


def _reversed(code: int, count: int) -> tuple[int, int]:
    """A Huffman code goes into the stream with its most significant bit first."""
    return int(f"{code:0{count}b}"[::-1], 2), count


_SYMBOLS: Final = [
    *(_reversed(0x30 + symbol, 8) for symbol in range(144)),
    *(_reversed(0x190 + symbol, 9) for symbol in range(112)),
    *(_reversed(symbol, 7) for symbol in range(24)),
    *(_reversed(0xC0 + symbol, 8) for symbol in range(8)),
]
"""The fixed code of each literal (below 256), of the end of the block, and of each length."""
_DISTANCES: Final = [_reversed(code, 5) for code in range(30)]


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

    def write_match(self, length: int, distance: int) -> None:
        code = bisect_right(_LENGTH_BASES, length) - 1
        self.write(*_SYMBOLS[257 + code])
        self.write(length - _LENGTH_BASES[code], _LENGTH_BITS[code])
        code = bisect_right(_DISTANCE_BASES, distance) - 1
        self.write(*_DISTANCES[code])
        self.write(distance - _DISTANCE_BASES[code], _DISTANCE_BITS[code])

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
        starts = earlier.get(data[position : position + _SHORTEST_MATCH], ())
        length, distance = _longest_match(data, position, starts[-_CANDIDATES:])
        if length:
            bits.write_match(length, distance)
        else:
            length = 1
            bits.write(*_SYMBOLS[data[position]])
        for place in range(position, position + length):
            earlier.setdefault(data[place : place + _SHORTEST_MATCH], []).append(place)
        position += length
    bits.write(*_SYMBOLS[_END_OF_BLOCK])
    return bits.finish()


def _longest_match(
    data: bytes, position: int, starts: list[int] | tuple[int, ...]
) -> tuple[int, int]:
    """Length and distance of the longest repetition that begins here; (0, 0) without one."""
    limit = min(_LONGEST_MATCH, len(data) - position)
    best, distance = _SHORTEST_MATCH - 1, 0
    for start in reversed(starts):
        if position - start > _WINDOW or best == limit:
            break
        # A longer match must agree in the byte that would make it longer.
        if best < limit and data[start + best] == data[position + best]:
            length = 0
            while length < limit and data[start + length] == data[position + length]:
                length += 1
            if length > best:
                best, distance = length, position - start
    return (best, distance) if distance else (0, 0)
