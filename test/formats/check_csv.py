"""Holds CSV files against what was written into them, with Python's csv module, pyarrow and DuckDB.

    check_csv.py FOLDER

Beside each NAME.csv is a NAME.json: {schema, header, rows}: the schema as src/codec/rows/row-schema.ts has it, whether the first
line names the columns, the rows as test/support/canonical-rows.ts has them. Prints what differs; exits with 1 if anything does.
"""
import base64
import csv
import datetime
import decimal
import json
import math
import pathlib
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.csv

csv.field_size_limit(2**31 - 1)
decimal.getcontext().prec = 100
MICROSECOND = datetime.timedelta(microseconds=1)


def canonical(text, column_type):
    """The text of a field, or a member of JSON with numbers as texts, as canonical-rows.ts has it."""
    kind = column_type["kind"]
    if text is None:
        return None
    if kind == "boolean":
        return {"true": True, "false": False, True: True, False: False}[text]
    if kind in ("int", "long"):
        return str(int(text))
    if kind == "decimal":
        assert len(text.partition(".")[2]) == column_type["scale"], f"{text} has not {column_type['scale']} digits"
        return str(int(decimal.Decimal(text).scaleb(column_type["scale"])))
    if kind in ("float", "double"):
        value = float(text)
        return "nan" if math.isnan(value) else struct.pack(">d", value).hex()
    if kind in ("string", "enum", "uuid"):
        return text
    if kind in ("bytes", "fixed"):
        return base64.b64decode(text, validate=True).hex()
    if kind == "date":
        return str((datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days)
    if kind == "time":
        time = datetime.datetime.combine(datetime.date.min, datetime.time.fromisoformat(text))
        return str((time - datetime.datetime.min) // MICROSECOND)
    if kind == "timestamp":
        zone = datetime.timezone.utc if column_type["utc"] else None
        return str((datetime.datetime.fromisoformat(text) - datetime.datetime(1970, 1, 1, tzinfo=zone)) // MICROSECOND)
    if isinstance(text, str):
        text = json.loads(text, parse_int=str, parse_float=str)
    if kind == "record":
        assert list(text) == [column["name"] for column in column_type["columns"]], f"members {list(text)}"
        return [canonical(text[column["name"]], column["type"]) for column in column_type["columns"]]
    if kind == "array":
        return [canonical(item, column_type["items"]["type"]) for item in text]
    if kind == "map":
        return [[name, canonical(value, column_type["values"]["type"])] for name, value in text.items()]
    raise ValueError(kind)


def with_csv(path, names, header):
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, strict=True))
    if header:
        assert rows[0] == names, f"the header is {rows[0]}, not {names}"
    return rows[1:] if header else rows


def with_pyarrow(path, names, header):
    # Names of its own: they are another reader's business, and pyarrow's own lists want them to differ.
    plain = [f"c{i}" for i in range(len(names))]
    read = pa.csv.ReadOptions(column_names=plain, skip_rows_after_names=1 if header else 0, block_size=2**25)
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    convert = pa.csv.ConvertOptions(
        column_types={name: pa.string() for name in plain},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    return [list(row.values()) for row in pa.csv.read_csv(path, read, parse, convert).to_pylist()]


def with_duckdb(path, names, header):
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(names)))
    query = f"""select * from read_csv(?, columns = {{{columns}}}, header = {header}, delim = ',', quote = '"', escape = '"',
        new_line = '\\n', auto_detect = false, allow_quoted_nulls = false, strict_mode = true)"""
    return [list(row) for row in duckdb.execute(query, [str(path)]).fetchall()]


def agree(found, wanted, column_type, tells_null):
    # A single column of null is written "", since a line of nothing is no line.
    if found == "" and not tells_null and wanted is None:
        return True
    return canonical(found, column_type) == wanted


def check(path):
    case = json.loads(path.with_suffix(".json").read_text())
    header, rows = case["header"], case["rows"]
    names = [column["name"] for column in case["schema"]["columns"]]
    types = [column["type"] for column in case["schema"]["columns"]]
    for reader in (with_csv, with_pyarrow, with_duckdb):
        # pyarrow refuses a file without a byte.
        if path.stat().st_size == 0 and reader is with_pyarrow:
            continue
        found = reader(path, names, header)
        assert len(found) == len(rows), f"{reader.__name__} reads {len(found)} rows, not {len(rows)}"
        tells_null = reader is not with_csv and len(names) > 1
        for index, (row, wanted) in enumerate(zip(found, rows)):
            assert len(row) == len(wanted), f"{reader.__name__} reads {len(row)} fields in row {index}"
            for field, value, column_type in zip(row, wanted, types):
                assert agree(field, value, column_type, tells_null), f"{reader.__name__} reads {field!r}, not {value!r}"


def main():
    failures = 0
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.csv"))
    for path in paths:
        try:
            check(path)
        except Exception as error:
            failures += 1
            print(f"{path.name}: {type(error).__name__}: {error}"[:3000])
    print(f"{len(paths)} files, {failures} differ")
    sys.exit(1 if failures > 0 or not paths else 0)


main()
