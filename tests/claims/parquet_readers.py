"""Reads the samples of a directory with pandas, PyArrow and DuckDB, and prints what each of them saw."""

import json
import sys

import duckdb
import pandas
import pyarrow.parquet

METRICS = ["requests", "cpu_percent", "cpu_percent_max", "in_service", "latency_p50_seconds",
           "latency_p95_seconds", "latency_p99_seconds", "http_5xx"]


def rows(instants, columns):
    return [[instant, *values] for instant, *values in zip(instants, *columns)]


def none_for_nan(values):
    return [None if pandas.isna(value) else float(value) for value in values]


def by_pandas(file):
    frame = pandas.read_parquet(file)
    millis = frame["minute_utc"].dt.tz_convert("UTC").astype("int64").tolist()
    unit = {"ns": 1_000_000, "us": 1_000, "ms": 1}[frame["minute_utc"].dt.unit]
    types = {name: str(frame[name].dtype) for name in ["period_seconds", *METRICS]}
    return {"rows": rows([value // unit for value in millis], [none_for_nan(frame[name]) for name in METRICS]),
            "zone": str(frame["minute_utc"].dt.tz), "types": types}


def by_pyarrow(file):
    table = pyarrow.parquet.ParquetFile(file).read()
    instants = table["minute_utc"].cast("int64").to_pylist()
    types = {name: str(table.schema.field(name).type) for name in ["period_seconds", *METRICS]}
    return {"rows": rows(instants, [table[name].to_pylist() for name in METRICS]),
            "time": str(table.schema.field("minute_utc").type), "types": types}


def by_duckdb(file):
    query = f"select epoch_ms(minute_utc) as at, {', '.join(METRICS)} from read_parquet(?) order by minute_utc"
    answer = duckdb.execute(query, [file]).fetchall()
    described = duckdb.execute("describe select * from read_parquet(?)", [file]).fetchall()
    types = {name: kind for name, kind, *_ in described}
    return {"rows": [list(row) for row in answer], "time": types.pop("minute_utc"), "types": types}


def main(directory, files):
    glob = f"{directory}/samples/*/*/samples.parquet"
    whole = duckdb.execute(
        "select environment, date::varchar, count(*), count(cpu_percent) from read_parquet(?, hive_partitioning = true)"
        " group by all order by all", [glob]).fetchall()
    days = [{"pandas": by_pandas(file), "pyarrow": by_pyarrow(file), "duckdb": by_duckdb(file)} for file in files]
    json.dump({"days": days, "whole": [list(row) for row in whole]}, sys.stdout)


main(sys.argv[1], sys.argv[2:])
