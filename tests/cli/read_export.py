"""Compares an export with the results that it is of: read_export.py RESULTS EXPORT [TABLE ..]

Every array is read by numpy, without pickle, and every tensor by safetensors where that is
installed; fields of CSV and tensors of checkpoints are read here.  Ends with 77 without numpy.
"""
import csv
import json
import pathlib
import struct
import sys

try:
    import numpy
except ImportError:
    sys.exit(77)
try:
    from safetensors.numpy import load_file
except ImportError:
    load_file = None

TEXTS = {"phase", "arm", "split", "task"}
TYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "u1"}


def number(field):
    try:
        return float(field)
    except ValueError:
        return float("nan")


def compare_table(table, archive):
    rows = list(csv.reader(table.open(newline="", encoding="utf-8")))
    arrays = numpy.load(archive, allow_pickle=False)
    seen = {}
    for k, name in enumerate(rows[0]):
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
        found = arrays[name if seen[name.lower()] == 1 else f"{name}+{seen[name.lower()]}"]
        fields = [row[k] for row in rows[1:]]
        if name in TEXTS:
            assert found.tolist() == fields, (table, name)
        else:
            wanted = numpy.array([number(f) for f in fields], dtype="<f8")
            assert found.dtype == numpy.dtype("<f8"), (table, name, found.dtype)
            assert found.tobytes() == wanted.tobytes(), (table, name)
    assert len(arrays.files) == len(rows[0]), table
    return len(rows[0])


def read_tensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    meta = header.pop("__metadata__")
    tensors = {}
    for name, facts in header.items():
        begin, end = (8 + length + at for at in facts["data_offsets"])
        array = numpy.frombuffer(data[begin:end], dtype=TYPES[facts["dtype"]])
        tensors[name] = array.reshape(facts["shape"])
    return meta, tensors


def compare_weights(cell, exported):
    meta, kept = read_tensors(max((cell / "ckpt").iterdir()))
    names = meta["weights"].split("\n")
    found = load_file(exported) if load_file else read_tensors(exported)[1]
    assert sorted(found) == sorted(names), exported
    for name in names:
        assert found[name].dtype == kept[name].dtype and found[name].shape == kept[name].shape
        assert found[name].tobytes() == kept[name].tobytes(), (exported, name)
    return len(names)


results, export = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
columns = weights = 0
for cell in json.loads((export / "export.json").read_text())["cells"]:
    folder = pathlib.Path(cell["arm"]) / str(cell["seed_index"])
    for table in ("metrics", "episodes", "steps", "trial", "predictions"):
        source = results / folder / f"{table}.csv"
        if source.exists():
            columns += compare_table(source, export / folder / f"{table}.npz")
    if (results / folder / "ckpt").exists():
        weights += compare_weights(results / folder, export / folder / "weights.safetensors")
print(f"{columns} columns, {weights} weights by {'safetensors' if load_file else 'this script'}")
