"""Law 1 as it was published with version 1.0.0: what the generator draws never changes, whatever draws it."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src"
LAW_1 = {
    "configuration": "cd79f0f80f306a8f36dc6b25868b31a5",
    "calendar": "12d274998364077185fce37cae4aa6c7",
    "plans": "0880248dba4a0af9b11466924e332839",
    "chunks": "2ccee447aa305caae63a2db69074c6f0",
    "stock": "d85ddf1478795dacb15104915b29e1c7",
    "sign_ups": "175c1fccb38e",
    "order_draws": "176aa7c92c4b",
    "purchase_events": "178a3451e073",
    "fulfilment_events": "36bd50d200f2",
    "marketing_events": "4eafa5712b2b",
}
# Version 1.23.5 is the oldest for Python 3.11, in Snowflake's channel as elsewhere; the newest is that of requirements.txt.
OLDEST = {"numpy": "1.23.5", "pandas": "2.0.3"}


def drawn_by(python: Path | str, tables: dict) -> dict[str, str]:
    """What values.py prints when this Python runs it."""
    done = subprocess.run(
        [python, HERE / "values.py"],
        input=json.dumps(tables),
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_generator_draws_what_law_1_was_published_with(first_tables):
    assert drawn_by(sys.executable, first_tables) == LAW_1


@pytest.mark.skipif(not os.environ.get("OLDEST_NUMPY"), reason="fetches packages: set OLDEST_NUMPY=1 to have it run")
def test_the_oldest_numpy_draws_the_same(first_tables, tmp_path):
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin/python"
    wanted = [f"{name}=={version}" for name, version in OLDEST.items()]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)

    assert drawn_by(python, first_tables) == LAW_1
