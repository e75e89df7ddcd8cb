"""The house holds: imports go down only, each dependency has one door, no room is too large."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fedi_letter"
LONGEST_MODULE_LINES = 400


def test_the_contracts_between_packages_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run(
        [str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    "module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_module_fits_in_a_head(module: Path) -> None:
    lines = module.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_MODULE_LINES
    if module.name == "__init__.py":
        assert all('"""' in line or not line.startswith(("import", "from")) for line in lines)


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(module.relative_to(ROOT))
        for module in sorted(PACKAGE.rglob("*.py"))
        if not module.read_text(encoding="utf-8").startswith('"""')
    ]
    assert silent == []


def test_a_server_on_sqlite_carries_nothing_that_only_others_need() -> None:
    only_others = {"alembic", "psycopg", "procrastinate", "pyreqwest", "fedi_letter.demo"}
    program = "import fedi_letter.cli.main, sys; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert only_others.isdisjoint(told.stdout.split())
