"""Prints "STEP TAG VALUE" of each scalar in an event file of TensorBoard, once with a decoder of its own that
checks every CRC, and, as `--tensorboard`, by TensorBoard itself."""
import struct
import sys


def crc32c(data):
    table = getattr(crc32c, "table", None)
    if table is None:
        table = []
        for n in range(256):
            for _ in range(8):
                n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
            table.append(n)
        crc32c.table = table
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    with open(path, "rb") as file:
        while head := file.read(12):
            length, crc = struct.unpack("<QI", head)
            assert crc == masked(head[:8]), "length"
            data = file.read(length)
            assert struct.unpack("<I", file.read(4))[0] == masked(data), "data"
            yield data


def fields(data):
    """(number, value) of each field of a message."""

    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    at = 0
    while at < len(data):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 1:
            value, at = struct.unpack("<d", data[at : at + 8])[0], at + 8
        elif key & 7 == 5:
            value, at = struct.unpack("<f", data[at : at + 4])[0], at + 4
        else:
            length, at = varint(at)
            value, at = data[at : at + length], at + length
        yield key >> 3, value


def own(path):
    for i, data in enumerate(records(path)):
        event = dict(fields(data))
        assert 1e9 < event[1] < 1e10, "seconds since 1970"
        if i == 0:
            assert event[3] == b"brain.Event:2" and 5 not in event
            continue
        for number, value in fields(event[5]):
            assert number == 1
            scalar = dict(fields(value))
            print(event.get(2, 0), scalar[1].decode(), "%.9g" % scalar[2])


def tensorboard(path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    all_of_them = EventAccumulator(path, size_guidance={"scalars": 0, "tensors": 0})
    all_of_them.Reload()
    for tag in all_of_them.Tags()["scalars"]:
        for scalar in all_of_them.Scalars(tag):
            print(scalar.step, tag, "%.9g" % scalar.value)


if sys.argv[1] == "--tensorboard":
    tensorboard(sys.argv[2])
else:
    own(sys.argv[1])
