"""The tables for Athena and the example queries, on what `trellis` leaves of the shipped sample. The dialect is Athena's, as
SQLGlot knows it, brought to DuckDB's; a real Athena was not asked."""

import re
from datetime import datetime

import duckdb
import pyarrow.parquet as parquet
import pytest
import sqlglot
from conftest import ENVIRONMENT, ROOT
from sqlglot import exp

ATHENA = ROOT / "infra/athena"
TABLES = ["samples", "activities", "cheapest"]
TYPES = {"string": "TEXT", "double": "DOUBLE", "int32": "INT", "bool": "BOOLEAN", "timestamp[ms, tz=UTC]": "TIMESTAMP"}
QUERIES = sorted(path.stem for path in (ATHENA / "queries").glob("*.sql"))


def definition(table):
    return sqlglot.parse_one((ATHENA / f"{table}.sql").read_text(), read="athena")


def columns(table):
    """Names and types, but for the partitions."""
    return {column.name: column.kind.this.value for column in definition(table).this.expressions
            if isinstance(column, exp.ColumnDef)}


def partitions(table):
    text = (ATHENA / f"{table}.sql").read_text()
    return [word.strip("` ").split("`")[0].split()[0] for word in re.search(r"partitioned by \((.*)\)", text)[1].split(",")]


def properties(table):
    return dict(re.findall(r"'([a-z.]+)' = '([^']*)'", (ATHENA / f"{table}.sql").read_text()))


def written(archive, table):
    """Athena reads every file of a folder: all of them have to be the table's."""
    files = sorted(file for file in (archive / table).rglob("*") if file.is_file())
    assert files, f"nothing was written for {table}"
    return files


@pytest.fixture(scope="module")
def database(archive):
    """Views with the columns and types that the definitions have."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    for table in TABLES:
        typed = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in columns(table).items())
        connection.execute(
            f"create view trellis_{table} as select {typed}, environment, \"date\" from read_parquet("
            f"'{archive}/{table}/*/*/*', hive_partitioning = true, "
            "hive_types = {'environment': VARCHAR, 'date': VARCHAR})")
    return connection


@pytest.fixture(scope="module")
def ask(database):
    def ask(query):
        text = (ATHENA / f"queries/{query}.sql").read_text().replace("ENVIRONMENT", ENVIRONMENT)
        [translated] = sqlglot.transpile(text, read="athena", write="duckdb")
        return database.execute(translated).df()

    return ask


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_columns_and_types_that_are_written(archive, table):
    for file in written(archive, table):
        schema = parquet.ParquetFile(file).schema_arrow
        assert columns(table) == {field.name: TYPES[str(field.type)] for field in schema}, file


@pytest.mark.parametrize("table", TABLES)
def test_a_table_finds_its_files_by_its_partitions(archive, table):
    projected = properties(table)
    assert partitions(table) == ["environment", "date"]
    assert projected["projection.enabled"] == "true"
    assert (projected["projection.environment.type"], projected["projection.date.type"]) == ("injected", "date")
    assert projected["projection.date.format"] == "yyyy-MM-dd"
    first, last = projected["projection.date.range"].split(",")
    assert last == "NOW"
    for file in written(archive, table):
        day = re.search(r"date=([^/]*)/", str(file))[1]
        assert datetime.strptime(day, "%Y-%m-%d") >= datetime.strptime(first, "%Y-%m-%d")
        place = projected["storage.location.template"].replace("${environment}", ENVIRONMENT).replace("${date}", day)
        assert f"s3://ARCHIVE_BUCKET/{file.parent.relative_to(archive)}/" == place
    location = re.search(r"location '(.*)'", (ATHENA / f"{table}.sql").read_text())[1]
    assert projected["storage.location.template"].startswith(location)


def test_the_busiest_hours_are_those_of_the_samples(ask, database):
    hours = ask("busiest_hours")
    assert len(hours) == 10 and hours.requests.is_monotonic_decreasing
    most = "select sum(requests) from trellis_samples group by strftime(minute_utc, '%Y-%m-%d %H') order by 1 desc limit 1"
    assert hours.requests[0] == database.execute(most).fetchone()[0]
    assert (hours.mean_cpu_percent <= hours.max_cpu_percent).all()


def test_cpu_by_load_lies_on_the_fitted_line(ask, advice):
    by_load = ask("cpu_by_load")
    often = by_load[by_load.five_minutes >= 30]
    assert len(often) >= 5
    model = advice["model"]
    middle = often.requests_per_instance_from + 125
    off = often.mean_cpu_percent - (model["intercept_percent"] + model["coefficient"] * middle)
    assert off.abs().max() < 1.5, off


def test_instance_hours_by_day_add_up_to_those_of_the_record(ask, database):
    days = ask("instance_hours_by_day")
    assert len(days) == 14 and days.day_utc.is_monotonic_increasing
    whole = database.execute("select sum(in_service) / 60 from trellis_samples").fetchone()[0]
    assert days.instance_hours.sum() == pytest.approx(whole)


def test_response_time_grows_where_cpu_is_beyond_the_knee(ask, advice):
    by_cpu = ask("response_time_by_cpu").set_index("cpu_percent_from").median_p95_seconds
    knee = advice["model"]["fit"]["knee"]["departs_at_percent"]
    assert by_cpu[by_cpu.index >= knee].min() > 1.2 * by_cpu[by_cpu.index < knee - 10].max()


def test_the_best_ten_hold_and_the_recommended_setting_is_among_them(ask, advice):
    best = ask("last_sweep_best_ten")
    assert len(best) == 10 and best.instance_hours.is_monotonic_increasing
    assert best.max_cpu_percent.max() < advice["cpu_held_percent"]
    assert advice["recommended"]["outcome"]["instance_hours"] in best.instance_hours.tolist()


def test_launches_are_counted_with_their_times(ask):
    [launches] = ask("launches").to_dict("records")
    assert (launches["launches"], launches["failed"]) == (2, 0)
    assert (launches["mean_seconds"], launches["longest_seconds"]) == (44, 47)


def test_every_query_is_asked_here():
    asked = re.findall(r'ask\("(\w+)"\)', (ROOT / "tests/analysts/test_athena.py").read_text())
    assert sorted(asked) == QUERIES
