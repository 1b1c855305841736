"""Writes archives into a folder: good.zip, which is what core/archive/zip.h describes, made here from
the ZIP format's own description; and others, each wrong in one way, by the same code or by Python's
zipfile."""
import struct
import sys
import zipfile
import zlib

FOLDER = sys.argv[1] + "/"


def archive(files, mode=0o100644, made=0x030A, flags=0, date=0x21, extra=b"", comment=b"", shift=0,
            count=None, gap=b""):
    """files: (name, content), or (name, content, offset of another entry)."""
    body, directory, offsets = bytearray(), bytearray(), []
    for name, content, *other in files:
        name = name.encode("latin-1")
        sizes = struct.pack("<III", zlib.crc32(content), len(content), len(content))
        common = struct.pack("<HHHHH", 10, flags, 0, 0, date) + sizes
        offsets.append(len(body) + shift)
        at = offsets[other[0]] if other else offsets[-1]
        body += b"PK\3\4" + common + struct.pack("<HH", len(name), len(extra)) + name + extra + content + gap
        directory += (b"PK\1\2" + struct.pack("<H", made) + common +
                      struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, mode << 16, at) + name + extra)
    n = len(files) if count is None else count
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, n, n, len(directory), len(body), len(comment)) + comment
    return bytes(body + directory) + end


def write(name, data):
    with open(FOLDER + name + ".zip", "wb") as f:
        f.write(data)


GOOD = [("a.txt", b"alpha\n"), ("b/empty", b""), ("b/z.bin", bytes(range(256)) * 300)]
write("good", archive(GOOD))

# Names, in the form that a writer has.
for name, path in {"traversal": "../x", "inner_traversal": "a/../../x", "absolute": "/etc/x", "dot": "a/./x",
                   "double": "a//x", "trailing": "a/", "backslash": "..\\x", "drive": "c:x", "control": "a\nb",
                   "latin": "caf\xe9", "nul": "a\0b", "long": "x" * 300, "nameless": ""}.items():
    write(name, archive([(path, b"x")]))
write("twice", archive([("a", b"1"), ("a", b"2")]))
write("case", archive([("A", b"1"), ("a", b"2")]))
write("file_as_folder", archive([("a", b"1"), ("a/b", b"2")]))
write("order", archive([("b", b"1"), ("a", b"2")]))

# What an entry is.
for name, mode in {"link": 0o120777, "device": 0o020644, "block": 0o060644, "fifo": 0o010644,
                   "folder": 0o040755, "executable": 0o100755, "setuid": 0o104644}.items():
    write(name, archive([("a", b"/etc/passwd")], mode=mode))
write("dos", archive([("a", b"x")], made=0x000A))
write("encrypted", archive([("a", b"x")], flags=1))
write("descriptor", archive([("a", b"x")], flags=8))
write("date", archive([("a", b"x")], date=0x5A21))
write("extra", archive([("a", b"x")], extra=b"UT\5\0\1\0\0\0\0"))

# What is where.
write("comment", archive(GOOD, comment=b"hello"))
write("before", b"#!/bin/sh\n" + archive(GOOD))
write("before_shifted", b"#!" + archive(GOOD, shift=2))
write("gap", archive(GOOD, gap=b"?"))
write("behind", archive(GOOD) + b"\0")
write("overlap", archive([("a", b"same" * 100), ("b", b"same" * 100, 0)]))
write("fewer", archive(GOOD, count=2))
write("more", archive(GOOD, count=4))
write("none", archive([]))
write("many", archive([("%06d" % i, b"") for i in range(65535)], count=65535))
write("short", archive(GOOD)[:-1])
write("empty", b"")
write("text", b"this is not an archive, although it is long enough to be one")

# What others write.
with zipfile.ZipFile(FOLDER + "bomb.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("bomb", b"\0" * 50_000_000)
with zipfile.ZipFile(FOLDER + "million.zip", "w") as z:
    for i in range(70_000):
        z.writestr("%06d" % i, b"")
with zipfile.ZipFile(FOLDER + "stored.zip", "w") as z:
    z.writestr("a", b"x")
