"""The same JSON lines to Parquet by pyarrow or DuckDB.

    parquet_peers.py LINES TO pyarrow|duckdb THREADS        prints the seconds it took and the peak RSS in MB
"""
import io
import resource
import sys
import time

lines_file, to, tool, threads = sys.argv[1:5]
threads = int(threads)
WARM_UP_RECORDS = 20_000

if tool == "pyarrow":
    import pyarrow as pa
    import pyarrow.json as pj
    import pyarrow.parquet as pq

    pa.set_cpu_count(threads)
    pa.set_io_thread_count(threads)
    schema = pa.schema(
        [
            ("id", pa.int64()),
            ("time", pa.timestamp("ms", "UTC")),
            ("device", pa.string()),
            ("region", pa.string()),
            ("temperature", pa.float64()),
            ("humidity", pa.float64()),
            ("ok", pa.bool_()),
            ("trace", pa.string()),
            ("count", pa.int64()),
            ("message", pa.string()),
        ]
    )
    parse = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    read = pj.ReadOptions(use_threads=threads > 1)

    def convert(count):
        table = pj.read_json(pa.BufferReader(first(count)), parse_options=parse, read_options=read)
        pq.write_table(table, to, compression="snappy")

    with open(lines_file, "rb") as file:
        lines = file.read()

    def first(count):
        if count is None:
            return lines
        stream = io.BytesIO(lines)
        return b"".join(stream.readline() for _ in range(count))

else:
    import duckdb

    duckdb.execute(f"set threads = {threads}").fetchall()
    columns = (
        "{id: 'BIGINT', time: 'TIMESTAMPTZ', device: 'VARCHAR', region: 'VARCHAR', temperature: 'DOUBLE', "
        "humidity: 'DOUBLE', ok: 'BOOLEAN', trace: 'VARCHAR', count: 'BIGINT', message: 'VARCHAR'}"
    )

    def convert(count):
        limit = "" if count is None else f"limit {count}"
        query = f"from read_json('{lines_file}', format = 'newline_delimited', columns = {columns}) {limit}"
        duckdb.execute(f"copy ({query}) to '{to}' (format parquet, compression snappy)").fetchall()


convert(WARM_UP_RECORDS)
begin = time.perf_counter()
convert(None)
seconds = time.perf_counter() - begin
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)
