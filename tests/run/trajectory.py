"""Reads trajectory.mezo as docs/trajectory.md describes it, sharing no code with mezo. Only the standard library."""

import dataclasses
import json
import struct
import zlib

MAGIC = b"\x89MEZO\r\n\x1a"


@dataclasses.dataclass
class Record:
    kind: int
    offset: int
    payload: bytes


@dataclasses.dataclass
class Trajectory:
    header: dict
    header_bytes: int
    records: list
    segments: list  # the header first
    steps: list  # [step][probe]
    ends: list  # (step, sha256)


def crc8(data):
    c = 0xFF
    for byte in data:
        c ^= byte
        for _ in range(8):
            c = (c << 1 ^ 0x07 if c & 0x80 else c << 1) & 0xFF
    return c


def record(kind, count, payload, before):
    head = struct.pack("<BH", kind, count)
    data = head + bytes([crc8(head)]) + payload
    return data + struct.pack("<I", zlib.crc32(data, before))


def read(path):
    data = path.read_bytes()
    version, length = struct.unpack_from("<II", data, 8)
    assert data[:8] == MAGIC and version in (1, 2)
    at = 16 + length
    (crc,) = struct.unpack_from("<I", data, at)
    assert crc == zlib.crc32(data[:at])
    header = json.loads(data[16:at])
    result = Trajectory(header, at + 4, [], [header], [], [])
    at += 4
    while at < len(data):
        kind, count, check = struct.unpack_from("<BHB", data, at)
        assert check == crc8(data[at : at + 3])
        probes = result.segments[-1]["probes" if version == 1 else "scalars"]
        size = {1: 4 * probes * count, 2: 64 * count, 3: 36}[kind]
        payload = data[at + 4 : at + 4 + size]
        crc = zlib.crc32(data[at : at + 4 + size], crc)
        assert struct.unpack_from("<I", data, at + 4 + size) == (crc,)
        result.records.append(Record(kind, at, payload))
        if kind == 1:
            values = struct.unpack(f"<{probes * count}f", payload)
            result.steps += [list(values[i : i + probes]) for i in range(0, len(values), probes)]
        elif kind == 2:
            result.segments.append(json.loads(payload))
        else:
            result.ends.append((struct.unpack_from("<I", payload)[0], payload[4:].hex()))
        at += size + 8
    return result
