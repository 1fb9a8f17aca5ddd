"""Holds Parquet files against what was written into them, with pyarrow and with DuckDB.

    check_parquet.py FOLDER

Beside each NAME.parquet is a NAME.json: {schema, rows, rowGroups}, the schema as src/codec/rows/row-schema.ts has it, the rows
as test/support/canonical-rows.ts has them, rows per row group. Prints what differs; exits with 1 if anything does.
"""
import decimal
import json
import math
import pathlib
import struct
import sys
import uuid

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

decimal.getcontext().prec = 100
LONGEST_BOUND = 64


def canonical(scalar, column_type):
    """An Arrow scalar as canonical-rows.ts has it."""
    if not scalar.is_valid:
        return None
    kind = column_type["kind"]
    if isinstance(scalar, pa.ExtensionScalar):
        scalar = scalar.value
    if kind == "boolean":
        return scalar.as_py()
    if kind in ("int", "long"):
        return str(scalar.as_py())
    if kind == "date":
        return str(scalar.value)
    if kind in ("time", "timestamp"):
        return str(scalar.value * (1000 if scalar.type.unit == "ms" else 1))
    if kind == "decimal":
        assert scalar.type.scale == column_type["scale"], f"scale {scalar.type.scale}"
        return str(int(scalar.as_py().scaleb(column_type["scale"])))
    if kind in ("float", "double"):
        value = scalar.as_py()
        return "nan" if math.isnan(value) else struct.pack(">d", value).hex()
    if kind in ("string", "enum"):
        value = scalar.as_py()
        return value.decode() if isinstance(value, bytes) else value
    if kind == "uuid":
        value = scalar.as_py()
        return str(uuid.UUID(bytes=value)) if isinstance(value, bytes) else str(value)
    if kind in ("bytes", "fixed"):
        return scalar.as_py().hex()
    if kind == "record":
        # By place: members may have names that differ in nothing but case.
        return [canonical(scalar[i], column["type"]) for i, column in enumerate(column_type["columns"])]
    if kind == "array":
        return [canonical(item, column_type["items"]["type"]) for item in scalar.values]
    if kind == "map":
        entries = scalar.values
        return [[entry[0].as_py(), canonical(entry[1], column_type["values"]["type"])] for entry in entries]
    raise ValueError(kind)


def canonical_column(values, column_type):
    # Scalar by scalar is exact and slow; the commonest kinds of large tables have no need of it.
    if column_type["kind"] in ("boolean", "string") and not pa.types.is_binary(values.type):
        return values.to_pylist()
    if column_type["kind"] in ("int", "long"):
        return [None if value is None else str(value) for value in values.to_pylist()]
    return [canonical(value, column_type) for value in values]


def canonical_rows(table, schema):
    columns = [canonical_column(table.column(i), column["type"]) for i, column in enumerate(schema["columns"])]
    return [list(row) for row in zip(*columns)]


def arrow_type(column_type):
    kind = column_type["kind"]
    unit = {"millis": "ms", "micros": "us"}.get(column_type.get("unit"))
    if kind == "time":
        return pa.time32("ms") if unit == "ms" else pa.time64("us")
    if kind == "timestamp":
        return pa.timestamp(unit, "UTC" if column_type["utc"] else None)
    if kind == "decimal":
        return pa.decimal128(column_type["precision"], column_type["scale"])
    if kind == "fixed":
        return pa.binary(column_type["size"])
    if kind == "record":
        return pa.struct([arrow_field(column) for column in column_type["columns"]])
    if kind == "array":
        return pa.list_(arrow_field({**column_type["items"], "name": "element"}))
    if kind == "map":
        return pa.map_(pa.string(), arrow_field({**column_type["values"], "name": "value"}))
    return ARROW_TYPES[kind]


ARROW_TYPES = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "bytes": pa.binary(),
    "uuid": pa.uuid(),
    "date": pa.date32(),
    # As pyarrow sees it.
    "enum": pa.binary(),
}


def arrow_field(column):
    return pa.field(column["name"], arrow_type(column["type"]), nullable=column["nullable"])


def check_types(found, schema):
    wanted = pa.schema([arrow_field(column) for column in schema["columns"]])
    assert found.remove_metadata().equals(wanted), f"columns are {found}, not {wanted}"


def leaves(column, value):
    """Path and value of every entry below a column; None for whatever is not there."""
    kind, name = column["type"]["kind"], column["name"]
    if kind == "record":
        for i, member in enumerate(column["type"]["columns"]):
            for path, leaf in leaves(member, None if value is None else value[i]):
                yield (name, *path), leaf
    elif kind in ("array", "map"):
        if kind == "array":
            items = [("list", {**column["type"]["items"], "name": "element"}, lambda item: item)]
        else:
            key = {"name": "key", "type": {"kind": "string"}}
            items = [
                ("key_value", key, lambda entry: entry[0]),
                ("key_value", {**column["type"]["values"], "name": "value"}, lambda entry: entry[1]),
            ]
        for group, item, part in items:
            for inner in [part(entry) for entry in value] if value else [None]:
                for path, leaf in leaves(item, inner):
                    yield (name, group, *path), leaf
    else:
        yield (name,), None if value is None else (value, column["type"])


def raw(value, column_type):
    """A canonical value as statistics have it: a number or bytes, in their order."""
    kind = column_type["kind"]
    if kind == "boolean":
        return value
    if kind in ("float", "double"):
        return math.nan if value == "nan" else struct.unpack(">d", bytes.fromhex(value))[0]
    if kind in ("time", "timestamp"):
        return int(value) // (1000 if column_type["unit"] == "millis" else 1)
    if kind in ("int", "long", "date", "decimal"):
        return int(value)
    if kind == "uuid":
        return uuid.UUID(value).bytes
    return value.encode() if kind in ("string", "enum") else bytes.fromhex(value)


def bound(value, column_type):
    """A bound of pyarrow's statistics in the same form."""
    if column_type["kind"] == "decimal" and isinstance(value, bytes):
        return int.from_bytes(value, "big", signed=True)
    return value.encode() if isinstance(value, str) else value


def check_statistics(metadata, schema, rows, counts):
    start = 0
    for index, count in enumerate(counts):
        found = {}
        for row in rows[start : start + count]:
            for column, value in zip(schema["columns"], row):
                for path, leaf in leaves(column, value):
                    found.setdefault(path, []).append(leaf)
        start += count
        group = metadata.row_group(index)
        assert group.num_rows == count, f"row group {index} has {group.num_rows} rows, not {count}"
        chunks = [group.column(i) for i in range(group.num_columns)]
        assert len(chunks) == len(found), "leaf columns"
        for chunk, (path, entries) in zip(chunks, found.items()):
            assert chunk.path_in_schema == ".".join(path), f"{chunk.path_in_schema}, not {path}"
            try:
                check_chunk(chunk, entries)
            except AssertionError as error:
                raise AssertionError(f"statistics of {path} in row group {index}: {error}") from error


def check_chunk(chunk, entries):
    statistics = chunk.statistics
    if chunk.has_dictionary_page:
        assert 0 < chunk.dictionary_page_offset < chunk.data_page_offset, "the pages are elsewhere"
    assert chunk.num_values == len(entries), f"{chunk.num_values} entries, not {len(entries)}"
    assert statistics.null_count == entries.count(None), f"{statistics.null_count} nulls"
    there = [entry for entry in entries if entry is not None]
    values = [raw(*entry) for entry in there]
    if any(isinstance(value, float) and math.isnan(value) for value in values):
        assert not statistics.has_min_max, "there are bounds, and NaN"
        return
    if not statistics.has_min_max:
        assert not values or is_unbounded(max(values)), f"there are no bounds for {min(values)} to {max(values)}"
        return
    column_type = there[0][1]
    low, high = bound(statistics.min_raw, column_type), bound(statistics.max_raw, column_type)
    if isinstance(low, bytes) and max(map(len, values)) > LONGEST_BOUND and column_type["kind"] != "fixed":
        assert max(len(low), len(high)) <= LONGEST_BOUND, "a bound is too long"
        assert low <= min(values) and high >= max(values), f"{low} to {high}"
        if column_type["kind"] == "string":
            low.decode(), high.decode()
        exact = [value for value in values if len(value) <= LONGEST_BOUND]
        if min(values) in exact:
            assert low == min(values), "the lower bound is not exact"
    else:
        assert (low, high) == (min(values), max(values)), f"{low} to {high}, not {min(values)} to {max(values)}"
    if isinstance(low, float):
        assert low != 0 or math.copysign(1, low) < 0, "0 as the lower bound has to be -0"
        assert high != 0 or math.copysign(1, high) > 0, "0 as the upper bound has to be +0"


def is_unbounded(value):
    """Begins with bytes above which there are none: no value of LONGEST_BOUND bytes is larger than all that begin so."""
    return isinstance(value, bytes) and len(value) > LONGEST_BOUND and set(value[:LONGEST_BOUND]) <= {0xFF, 0xF4, 0x8F, 0xBF}


def differing(reader, rows, expected):
    for index, (row, wanted) in enumerate(zip(rows, expected)):
        assert row == wanted, f"{reader} reads row {index} as {row}, not {wanted}"
    assert len(rows) == len(expected), f"{reader} reads {len(rows)} rows, not {len(expected)}"


def literal(value, column_type):
    """SQL of a constant of the column's type, with its parameter: plain comparisons are what DuckDB skips row groups by."""
    kind, wanted = column_type["kind"], raw(value, column_type)
    if kind == "date":
        return "DATE '1970-01-01' + CAST(? AS INTEGER)", wanted
    if kind == "timestamp":
        return ("make_timestamptz(?)" if column_type["utc"] else "make_timestamp(?)"), int(value)
    if kind == "decimal":
        precision, scale = column_type["precision"], column_type["scale"]
        return f"CAST(? AS DECIMAL({precision}, {scale}))", format(decimal.Decimal(wanted).scaleb(-scale), "f")
    if kind == "uuid":
        return "CAST(? AS UUID)", value
    return f"CAST(? AS {LITERALS[kind]})", value if kind == "string" else wanted


LITERALS = {
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "bytes": "BLOB",
    "fixed": "BLOB",
}
FILTERED = {*LITERALS, "date", "timestamp", "decimal", "uuid"}

# 0 and -0, which are equal.
ZEROS = {"0000000000000000", "8000000000000000"}


def check_filters(path, schema, rows):
    """Equality to a value that is there: a row group that was skipped wrongly is rows that are missing."""
    for i, column in enumerate(schema["columns"]):
        kind = column["type"]["kind"]
        values = [row[i] for row in rows if row[i] is not None]
        if kind not in FILTERED or not values:
            continue
        fraction = kind in ("float", "double")
        value = "nan" if fraction and "nan" in values else values[len(values) // 2]
        equal = ({value} | ZEROS) if fraction and value in ZEROS else {value}
        name = '"' + column["name"].replace('"', '""') + '"'
        constant, parameter = literal(value, column["type"])
        query = f"select count(*) from read_parquet(?) where {name} = {constant}"
        ((count,),) = duckdb.execute(query, [str(path), parameter]).fetchall()
        times = sum(one in equal for one in values)
        assert count == times, f"DuckDB finds {name} = {value} {count} times, not {times}"


def check(path):
    case = json.loads(path.with_suffix(".json").read_text())
    schema, rows = case["schema"], case["rows"]
    file = pq.ParquetFile(path)
    table = file.read()
    table.validate(full=True)
    check_types(table.schema, schema)
    differing("pyarrow", canonical_rows(table, schema), rows)
    check_statistics(file.metadata, schema, rows, case["rowGroups"])
    found = duckdb.read_parquet(str(path)).to_arrow_table()
    differing("DuckDB", canonical_rows(found, schema), rows)
    check_filters(path, schema, rows)


def main():
    duckdb.execute("set TimeZone = 'UTC'").fetchall()
    failures = 0
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.parquet"))
    for path in paths:
        try:
            check(path)
        except Exception as error:
            failures += 1
            print(f"{path.name}: {type(error).__name__}: {error}"[:3000])
    print(f"{len(paths)} files, {failures} differ")
    sys.exit(1 if failures > 0 or not paths else 0)


main()
