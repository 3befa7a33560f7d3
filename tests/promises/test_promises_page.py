"""What README promises is measured, and what is measured is promised."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_promise_of_the_readme_names_the_test_that_measures_it():
    readme = (ROOT / "README.md").read_text()
    section = re.search(r"^## What it promises\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)[1]
    promises = re.findall(r"^- .+$", section, re.MULTILINE)
    named = [set(re.findall(r"\((tests/[\w/]+\.py)\)", line)) for line in promises]
    measured = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/promises").glob("test_*.py")}

    assert [line for line, tests in zip(promises, named, strict=True) if not tests] == []
    assert set().union(*named) >= measured - {"tests/promises/test_promises_page.py"}
