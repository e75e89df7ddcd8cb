"""What the documents promise holds: settings, commands, paths, and a test for each claim."""

import ast
import contextlib
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from fedi_letter.cli.main import app
from fedi_letter.settings import PREFIX, Settings
from fedi_letter.store.database import upgrade
from fedi_letter.web.routes import routes
from fedi_letter.web.site import web
from fedi_letter.web.templates import Templates, templates_folder
from tests.world import ACTOR, LETTER, open_world

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "FEDERATION.md", "CHANGELOG.md", "keys/README.md")

# The numbers of the interoperability checklist that this version must answer for.
REQUIRED = (*range(1, 13), *range(14, 17), 18, *range(20, 45), *range(48, 55), *range(56, 61))

# Spelt so that this line itself says none of it.
NOT_OURS_TO_SAY = re.compile(
    r"/(?:work|tmp|home|root)/|py[p]i\.|proxy\.go[l]ang|np[m]js|\bsession\b", re.IGNORECASE
)


def read(name: str) -> str:
    """A document of the project's root."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """What stands under a second-level heading of a document."""
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", read(name), re.M | re.S)
    assert found, f"{name} has no section {heading}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The rows of the first table in a text, without its head; `|` never stands in a cell."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@cache
def test_names() -> frozenset[str]:
    """The name of every test function there is."""
    modules = [ast.parse(file.read_text("utf-8")) for file in (ROOT / "tests").rglob("test_*.py")]
    return frozenset(
        node.name
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


test_names.__test__ = False  # type: ignore[attr-defined]  # a question, though its name begins so


def shown(default: Any) -> str:
    """A setting's default as one would write it into the environment."""
    match default:
        case None:
            return "unset"
        case bool():
            return f"`{str(default).lower()}`"
        case frozenset():
            kinds = type(next(iter(default)))
            return f"`{','.join(kind for kind in kinds if kind in default)}`"
        case StrEnum():
            return f"`{default.value}`"
        case _:
            return f"`{default}`"


def test_the_settings_are_those_there_are() -> None:
    there_are = [
        [f"`{PREFIX}{name.upper()}`", shown(field.default), field.description]
        for name, field in Settings.model_fields.items()
    ]
    assert rows(section("README.md", "Settings")) == there_are


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every command that can be run, as it is called, with the first sentence of its help.

    Any: Typer carries its own copy of click and does not export these types.
    """
    inner = getattr(command, "commands", {})
    if path and (not inner or getattr(command, "invoke_without_command", False)):
        yield " ".join((*path, *map(usage, command.params))), command.help.split("\n\n")[0]
    for name, sub in inner.items():
        yield from commands(sub, (*path, name))


def usage(parameter: Any) -> str:
    """One parameter as it stands in the table."""
    if parameter.param_type_name == "option":
        return f"[{parameter.opts[0]}]"
    name = parameter.name.upper() + ("…" if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def test_the_commands_are_those_of_the_help() -> None:
    there_are = {
        f"`{call}`": " ".join(told.split()) for call, told in commands(typer.main.get_command(app))
    }
    table = rows(section("README.md", "Commands"))
    assert {call: told for call, told in table} == there_are
    assert len(table) == len(there_are)


async def test_the_paths_are_those_that_are_served(tmp_path: Path, letter_keys: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'letter.db'}"
    upgrade(database_url)
    async with open_world(database_url, letter_keys) as world:
        house = world.house
        table = routes(web(house.context, house.intake, Templates(templates_folder())))
    served = {f"`{re.sub(r':[a-z]+}', '}', route.path)}`" for route in table}
    described = [path for path, _ in rows(section("README.md", "HTTP paths"))]
    assert sorted(described) == sorted(served)


def vacuum(source: Path, target: Path) -> None:
    """Copy a SQLite database in use, by the statement that the README gives."""
    statement = f"VACUUM INTO '{target}'"
    assert statement.partition("'")[0] in read("README.md")
    with contextlib.closing(sqlite3.connect(source)) as connection:
        connection.execute(statement)


async def test_a_backup_is_the_database_and_the_keys_and_nothing_else(
    tmp_path: Path, letter_keys: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    upgrade(f"sqlite:///{here / 'letter.db'}")
    shutil.copytree(letter_keys, here / "keys")
    async with open_world(f"sqlite:///{here / 'letter.db'}", here / "keys") as world:
        await world.fediverse.actor("ada@far.example").reply(LETTER, "I sign")
        await world.work()
        before = (await world.roll(), await world.document(ACTOR), await world.document(LETTER))
        vacuum(here / "letter.db", tmp_path / "backup.db")
    there.mkdir()
    shutil.copy(tmp_path / "backup.db", there / "letter.db")
    shutil.copytree(here / "keys", there / "keys")
    shutil.rmtree(here)
    async with open_world(f"sqlite:///{there / 'letter.db'}", there / "keys") as world:
        world.clock.advance(timedelta(minutes=1))
        after = (await world.roll(), await world.document(ACTOR), await world.document(LETTER))
    assert before[0]
    assert after == before


def test_every_row_of_the_federation_table_names_a_test() -> None:
    table = rows(section("README.md", "Federation support"))
    assert {support for _, support, _, _ in table} == {"yes", "partial", "no"}
    unproven = [feature for feature, support, _, by in table if support != "no" and not by]
    assert unproven == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_test_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", read(name)))
    assert named - test_names() == set()


@pytest.mark.parametrize("number", REQUIRED)
def test_every_number_of_the_checklist_has_a_test(number: int) -> None:
    pattern = re.compile(rf"_t0?{number}_")
    assert any(pattern.search(name) for name in test_names())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_shell_blocks_parse(name: str) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", read(name), re.M | re.S)
    assert blocks or name != "README.md"
    for block in blocks:
        checked = subprocess.run(
            ["bash", "-n"], input=block, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_target_of_make_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.M))
    named = set(re.findall(r"(?:^|`| {4})make ([a-z]+)", read(name), re.M))
    assert named - targets == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_speak_of_the_project_alone(name: str) -> None:
    assert NOT_OURS_TO_SAY.findall(read(name)) == []


def test_every_link_to_a_file_leads_somewhere() -> None:
    for name in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", read(name)):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name}: {target}"
