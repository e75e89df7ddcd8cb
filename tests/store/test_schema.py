"""The migrations build exactly the tables, on both databases, whoever runs them and how often."""

import subprocess
import sys

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from fedi_letter.store import engines, steps, tables
from fedi_letter.store.database import MIGRATIONS, Database, is_current, upgrade

Shape = dict[str, dict[str, object]]


def _is_ours(name: str | None) -> bool:
    """Whether a table is one of ours, not of the queue between workers or of the migrations."""
    return name is not None and not name.startswith(("procrastinate_", "alembic_"))


def _differences(connection: Connection) -> list[object]:
    def compares(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or _is_ours(name)

    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "include_name": compares}
    )
    return list(compare_metadata(context, tables.metadata))


def _condition(index: ReflectedIndex) -> str:
    """Answer the condition of a partial index."""
    options = index.get("dialect_options", {})
    return " ".join(str(options[name]) for name in sorted(options) if name.endswith("_where"))


def _built(connection: Connection) -> Shape:
    """Answer every table, column and index as the database itself describes it."""
    inspector = inspect(connection)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            ],
            "key": inspector.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(
                str(unique["column_names"]) for unique in inspector.get_unique_constraints(table)
            ),
            "indexes": sorted(
                (str(index["name"]), str(index["column_names"]), _condition(index))
                for index in inspector.get_indexes(table)
            ),
        }
        for table in inspector.get_table_names()
        if _is_ours(table)
    }


def test_the_migrated_schema_equals_the_tables(database: Database) -> None:
    assert database.read_now(_differences) == []


def test_the_migrated_schema_equals_what_the_tables_themselves_would_build(
    empty_database_url: str,
) -> None:
    engine = engines.migrator(engines.parse(empty_database_url))
    with engine.begin() as connection:
        tables.metadata.create_all(connection)
        built = _built(connection)
        tables.metadata.drop_all(connection)
    engine.dispose()
    upgrade(empty_database_url)
    with Database(empty_database_url) as database:
        assert database.read_now(_built) == built
    assert built.keys() == tables.metadata.tables.keys()


def _remember_a_chore(connection: Connection) -> None:
    connection.execute(text("INSERT INTO chores VALUES ('sweep', '2026-11-22 10:00:00')"))


def _chores(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT name FROM chores")).scalars())


def test_migrating_again_changes_nothing_and_loses_nothing(database_url: str) -> None:
    with Database(database_url) as database:
        database.write_now(_remember_a_chore)
        upgrade(database_url)
        assert database.read_now(_chores) == ["sweep"]
        assert database.read_now(is_current)


def test_a_database_that_was_never_migrated_is_not_current(empty_database_url: str) -> None:
    with Database(empty_database_url) as database:
        assert not database.read_now(is_current)
        upgrade(empty_database_url)
        assert database.read_now(is_current)


def test_current_means_the_step_that_no_other_follows(database_url: str) -> None:
    scripts = ScriptDirectory.from_config(steps.configuration(MIGRATIONS))
    with Database(database_url) as database:
        stands = database.read_now(
            lambda connection: MigrationContext.configure(connection).get_current_revision()
        )
        assert database.read_now(is_current)
    assert [stands] == scripts.get_heads()


def test_the_queue_between_workers_is_built_on_postgresql_alone(database: Database) -> None:
    with_queue = not database.is_sqlite
    tables_there = database.read_now(lambda connection: inspect(connection).get_table_names())
    assert any(name.startswith("procrastinate_") for name in tables_there) is with_queue


def test_processes_that_migrate_at_once_take_turns(empty_database_url: str) -> None:
    program = "import sys; from fedi_letter.store.database import upgrade; upgrade(sys.argv[1])"
    command = [sys.executable, "-c", program, empty_database_url]
    started = [
        subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    complaints = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], complaints
    with Database(empty_database_url) as database:
        assert database.read_now(is_current)
        assert database.read_now(_differences) == []
