"""Damages inputs: bytes, and where a file is text also its structure and its values. Seeded; only the standard library.

`mutate(content, name, chance)` gives another content of the file of that name; no two calls with the same generator need agree, but the
same seed gives the same series.
"""

import json
import pathlib

ODD_VALUES = [None, True, -1, 0, 1, 3, 2**31, 2**63, 10**40, 1e308, -0.0, "", "x", "\x1b[2J\x07", "\ud83d\ude00", "y" * 100000, [], {}, [[]], {"a": {}},
              [1] * 1000, "../../etc/passwd", "nan", "1e999"]
ODD_TEXT = ["", "\0", "\x1b[31m", "\ufeff", "NaN", "Infinity", "-", ": ", "- ", "{", "}", "[", "]", "&a ", "*a", "!!binary ", "\t", "\r\n", "'", '"',
            "1e999", "9" * 40, "[" * 3000, "{" * 3000, "x" * 100000, "\\u0000", "\\ud800", "%s%n"]


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for i in range(min(len(value), 50)):
            yield from places(value[i], (*path, i))


def changed_json(value, chance):
    value = json.loads(json.dumps(value))
    path = chance.choice(list(places(value)))
    odd = chance.choice(ODD_VALUES)
    if not path:
        return odd
    at = value
    for key in path[:-1]:
        at = at[key]
    how = chance.randrange(4)
    if how == 0:
        del at[path[-1]]
    elif how == 1 and isinstance(at, dict):
        at[str(odd)[:200] if chance.random() < 0.5 else str(path[-1]) + "_"] = at.pop(path[-1])
    elif how == 2 and isinstance(at[path[-1]], (int, float)) and not isinstance(at[path[-1]], bool):
        at[path[-1]] = chance.choice([-at[path[-1]], at[path[-1]] * 1000, at[path[-1]] + 1, at[path[-1]] / 2])
    else:
        at[path[-1]] = odd
    return value


def changed_text(text, chance):
    lines = text.splitlines(keepends=True) or [""]
    i = chance.randrange(len(lines))
    how = chance.randrange(5)
    if how == 0:
        del lines[i]
    elif how == 1:
        lines.insert(i, lines[chance.randrange(len(lines))])
    elif how == 2:
        at = chance.randrange(len(lines[i]) + 1)
        lines[i] = lines[i][:at] + chance.choice(ODD_TEXT) + lines[i][at:]
    elif how == 3:
        at = chance.randrange(len(lines[i]) + 1)
        lines[i] = lines[i][:at] + chance.choice(ODD_TEXT)
    else:
        words = lines[i].split(" ")
        words[chance.randrange(len(words))] = chance.choice(ODD_TEXT)
        lines[i] = " ".join(words)
    return "".join(lines)


def changed_bytes(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 8])):
        # Headers are at the beginning, and they are what is interesting.
        at = chance.randrange(min(len(data), chance.choice([16, 256, 4096, 1 << 30])) or 1)
        how = chance.randrange(5)
        if how == 0 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif how == 1 and data:
            data[at % len(data)] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif how == 2:
            del data[at : at + chance.choice([1, 4, 100, 1 << 30])]
        elif how == 3:
            data[at:at] = data[at : at + chance.randrange(1, 64)]
        else:
            data[at : at + 8] = chance.choice([b"\0" * 8, b"\xff" * 8, (1 << 40).to_bytes(8, "little"), b"\x7f" + b"\xff" * 7])
    return bytes(data)


def changed_header(data, chance):
    """Of a safetensors file: its JSON, with a length that fits."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(changed_json(json.loads(data[8 : 8 + size]), chance)).encode()
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def mutate(data, name, chance):
    try:
        return structured(data, pathlib.PurePath(name).suffix, chance)
    except (ValueError, UnicodeError, KeyError, IndexError, OverflowError):
        return changed_bytes(data, chance)


def structured(data, kind, chance):
    if chance.random() < 0.25:
        return changed_bytes(data, chance)
    if kind == ".json" and chance.random() < 0.8:
        return json.dumps(changed_json(json.loads(data), chance)).encode("utf-8", "surrogatepass")
    if kind == ".jsonl" and chance.random() < 0.7:
        lines = data.decode().splitlines()
        i = chance.randrange(len(lines))
        lines[i] = json.dumps(changed_json(json.loads(lines[i]), chance))
        return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")
    if kind == ".safetensors" and chance.random() < 0.7:
        return changed_header(data, chance)
    if kind in (".json", ".jsonl", ".yaml", ".tsv", ".txt"):
        return changed_text(data.decode(), chance).encode("utf-8", "surrogatepass")
    return changed_bytes(data, chance)
