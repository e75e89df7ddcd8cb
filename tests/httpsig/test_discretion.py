"""What this package does not do: log, write files, draw in the parts of bovine it must not."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from fedi_letter.httpsig.refusal import SignatureRefused
from tests.httpsig.peers import NOW, Cavage, believe, peer
from tests.httpsig.test_refusals import REFUSED


def test_nothing_is_logged_whatever_comes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    believe(Cavage().message(), peer().public)
    for _, message in REFUSED.values():
        with pytest.raises(SignatureRefused):
            believe(message, peer().public, received_at=NOW)
    assert caplog.records == []


def test_importing_leaves_nothing_behind(tmp_path: Path) -> None:
    program = (
        "import sys, fedi_letter.httpsig.sign, fedi_letter.httpsig.verify\n"
        "assert not {'bovine.jsonld', 'bovine.parse', 'bovine.clients.web'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []
