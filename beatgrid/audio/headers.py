"""What file headers say and decoders do not tell: MP3 tags, and bytes missing at the end."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# Where the Xing/Info tag stands after the first frame's 4 header bytes: behind the side
# information, whose size depends on (MPEG-1, mono).
_SIDE_INFO_BYTES = {(True, True): 17, (True, False): 32, (False, True): 9, (False, False): 17}

# From here on the size of a WAV's or AIFF's audio is a placeholder: what writes to a pipe, or is
# stopped before it can go back to the header, leaves 2 or 4 GB less a few bytes there.
_OPEN_SIZE = 0x7FFFF000

# GUIDs of ASF, the container of WMA, as they stand in the file.
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")

# Encoders whose delay field FFmpeg and mpg123 both believe and remove.
_GAPLESS_ENCODERS = (b"LAME", b"Lavf", b"Lavc")


@dataclass(frozen=True)
class Mp3Tag:
    """The tag in the first frame of an MP3.

    Attributes:
        kind: "lame" (names the encoder's delay, which decoders remove: time starts at the
            original's 0), "xing" or "vbri" (length, no delay) or "none"; with the last three
            decoders start 1105 samples late: 576 of LAME's encoder and 529 of any decoder.
        duration_s: Length that the tag declares, or None.
        audio_bytes: Size of the MPEG stream that the tag declares, or None.
        stream_bytes: Size of the file without leading ID3v2 tags.
        name: The tag's own: "Xing", "Info" (of constant bit rate) or "VBRI"; empty without a tag.
        delay_samples: What decoders remove by it: the encoder's delay and 529 of any decoder.
        n_samples: Decoded length that the tag declares, in samples per channel, without what the
            encoder put in front and behind; None where it does not say all of that.
    """

    kind: str
    duration_s: float | None
    audio_bytes: int | None
    stream_bytes: int
    name: str = ""
    delay_samples: int = 0
    n_samples: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the file has all bytes that its tag declares."""
        return self.audio_bytes is not None and self.stream_bytes >= self.audio_bytes

    @property
    def declared_s(self) -> float:
        """Length in seconds that the tag promises of a file that is cut short, otherwise 0.

        Where all bytes are there, what does not decode is damage that every player plays through.
        """
        return 0.0 if self.is_whole else self.duration_s or 0.0


def read_mp3_tag(path: Path) -> Mp3Tag | None:
    """Read the tag of an MP3; None where the file does not begin as one (behind ID3v2 tags)."""
    start, frame = _first_frame(path)
    # MPEG audio: 11 sync bits, a version that is not reserved, Layer III, a valid rate.
    if len(frame) < 64 or frame[0] != 0xFF or frame[1] & 0xE6 != 0xE2:
        return None
    version, rate_index = frame[1] >> 3 & 3, frame[2] >> 2 & 3
    if version == 1 or rate_index == 3 or frame[2] >> 4 == 15:
        return None
    is_mpeg1 = version == 3
    sample_rate = (44100, 48000, 32000)[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    samples_per_frame = 1152 if is_mpeg1 else 576
    stream_bytes = path.stat().st_size - start

    at = 4 + _SIDE_INFO_BYTES[is_mpeg1, frame[3] >> 6 == 3]
    name = frame[at : at + 4]
    delay_samples, n_samples = 0, None
    if name in (b"Xing", b"Info"):
        flags = int.from_bytes(frame[at + 4 : at + 8], "big")
        at += 8
        numbers: list[int | None] = [None, None]
        for i in range(2):
            if flags & 1 << i:
                numbers[i] = int.from_bytes(frame[at : at + 4], "big")
                at += 4
        at += 100 * bool(flags & 4) + 4 * bool(flags & 8)  # seek table, quality
        kind = "lame" if frame[at : at + 4] in _GAPLESS_ENCODERS else "xing"
        if kind == "lame":
            # Two numbers of 12 bits, behind version, method, filter, gains, flags and bit rate.
            front, behind = divmod(int.from_bytes(frame[at + 21 : at + 24], "big"), 1 << 12)
            delay_samples = front + 529
            n_samples = numbers[0] * samples_per_frame - front - behind if numbers[0] else None
        n_frames, n_bytes = numbers
    elif frame[36:40] == b"VBRI":
        kind, name = "vbri", b"VBRI"
        n_bytes, n_frames = struct.unpack(">II", frame[46:54])
    else:
        return Mp3Tag("none", None, None, stream_bytes)
    duration_s = n_frames * samples_per_frame / sample_rate if n_frames else None
    return Mp3Tag(
        *(kind, duration_s, n_bytes, stream_bytes, name.decode(), delay_samples, n_samples)
    )


def lame_tag_is_valid(path: Path) -> bool | None:
    """Tell whether the checksum of an MP3's LAME tag is right; some programs believe no other.

    The checksum is a CRC-16 of all bytes of the frame before it (G. Bouvigne and M. Taylor, "Mp3
    Info Tag revision 1").

    Returns:
        None where the first frame's tag is not LAME's.

    Raises:
        OSError: The file cannot be read.
    """
    _, frame = _first_frame(path)
    name = max(frame.find(b"Xing", 0, 64), frame.find(b"Info", 0, 64))
    if name < 0:
        return None
    # Behind the fields of the Xing tag: frames, bytes, seek table, quality.
    flags = frame[name + 7]
    sizes = (4, 4, 100, 4)
    at = name + 8 + sum(size for bit, size in enumerate(sizes) if flags >> bit & 1)
    if frame[at : at + 4] != b"LAME" or len(frame) < at + 36:
        return None
    stated = int.from_bytes(frame[at + 34 : at + 36], "big")
    return stated != 0 and stated == _crc16(frame[: at + 34])


def _crc16(data: bytes) -> int:
    """Return the CRC-16 of polynomial 0x8005, reflected, from 0 on."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def _first_frame(path: Path) -> tuple[int, bytes]:
    """Return where a file begins behind its ID3v2 tags, and some bytes from its first frame on."""
    with path.open("rb") as file:
        start = _skip_id3v2(file)
        file.seek(start)
        return start, file.read(4096).lstrip(b"\0")  # some writers pad behind the tag


def present_share(path: Path) -> float:
    """Share of the bytes declared by a WAV, AIFF or WMA header that the file really holds.

    Decoders read a truncated one to its end and do not report it.

    Returns:
        1.0 for a complete file, for other formats, and where the size was left open (streams).
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        form = file.read(12)
        if form[:4] in (b"RIFF", b"RF64", b"BW64"):
            order, audio_id = "<", b"data"
        elif form[:4] == b"FORM":
            order, audio_id = ">", b"SSND"
        elif form == _ASF_HEADER[:12]:
            return _asf_present_share(file.read(4096), size)
        else:
            return 1.0
        data_bytes_64 = None
        while len(chunk := file.read(8)) == 8:
            chunk_id, n_bytes = struct.unpack(f"{order}4sI", chunk)
            if chunk_id == audio_id:
                if n_bytes == 0xFFFFFFFF and data_bytes_64:
                    n_bytes = data_bytes_64
                elif n_bytes >= _OPEN_SIZE:
                    return 1.0
                return min(1.0, (size - file.tell()) / n_bytes) if n_bytes else 1.0
            if chunk_id == b"ds64":
                sizes = file.read(16)
                data_bytes_64 = int.from_bytes(sizes[8:16], "little")
                file.seek(-len(sizes), os.SEEK_CUR)
            file.seek(n_bytes + n_bytes % 2, os.SEEK_CUR)  # chunks are padded to even sizes
    return 1.0


def _asf_present_share(header: bytes, size: int) -> float:
    """Share of the file size that the file properties object of a WMA states."""
    at = header.find(_ASF_FILE_PROPERTIES)
    if at < 0 or len(header) < at + 48:
        return 1.0
    stated = int.from_bytes(header[at + 40 : at + 48], "little")  # behind GUID, size and file id
    return min(1.0, size / stated) if stated else 1.0


def missing_ogg_bytes(path: Path) -> int:
    """Return the bytes by which an Ogg file's last page exceeds the file; 0 for other formats.

    Ogg states no length, and both decoders stop silently after the last whole page.
    """
    pages = _outer_ogg_pages(path)
    if pages is None:
        return 0
    page = pages[1]
    if len(page) < 27:
        return 27 - len(page)
    n_segments = page[26]
    return max(0, 27 + n_segments + sum(page[27 : 27 + n_segments]) - len(page))


def has_several_ogg_streams(path: Path) -> bool:
    """Tell whether an Ogg file's last page belongs to another stream than its first.

    Such are recordings of web radio, a stream after the other, of which libsndfile reads the first
    alone.
    """
    pages = _outer_ogg_pages(path)
    return pages is not None and len(pages[1]) >= 18 and pages[0][14:18] != pages[1][14:18]


def _outer_ogg_pages(path: Path) -> tuple[bytes, bytes] | None:
    """Return the header of an Ogg file's first page, and its last page; None for other formats."""
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(27)
        if first[:4] != b"OggS":
            return None
        # No page is longer than 27 + 255 + 255 * 255 bytes: the last one begins in these.
        file.seek(max(0, size - 65307))
        end = file.read()
    return first, end[max(0, end.rfind(b"OggS\0")) :]


def _skip_id3v2(file: BinaryIO) -> int:
    """Return the position behind all leading ID3v2 tags."""
    position = 0
    while True:
        file.seek(position)
        header = file.read(10)
        if len(header) < 10 or header[:3] != b"ID3":
            return position
        # Syncsafe: 7 bits a byte. A footer of 10 bytes is not counted in the size.
        n_bytes = sum(
            (byte & 0x7F) << shift for byte, shift in zip(header[6:], (21, 14, 7, 0), strict=True)
        )
        position += 10 + n_bytes + 10 * bool(header[5] & 0x10)
