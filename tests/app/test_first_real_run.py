"""The open questions of docs/first-real-run.md, asked: by `scripts/test --connection NAME` of the account that can answer them.

Every answer is right, so what can fail here is the question: a statement that does not compile, or that leaves the app unable to work.
"""

import re
from pathlib import Path

import pytest
from snowflake.connector.errors import DatabaseError

pytestmark = pytest.mark.end_to_end
PAGE = (Path(__file__).resolve().parents[2] / "docs/first-real-run.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
BLOCK = re.compile(r"^```sql as the (app|consumer)(, afterwards)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASKED = [question for question, text in SECTIONS.items() if BLOCK.search(text)]
NOT_UNDERSTOOD = (900, 1003)  # a syntax error: our mistake


@pytest.mark.parametrize("question", ASKED)
def test_a_question_is_asked(account, app, answers, question):
    with account.connect() as connection:
        consumer = connection.cursor()
        consumer.execute(f"use schema {app.rows('select current_database()')[0][0]}.core")
        by_app = "call told_by_the_app(%s)"

        def ask(who: str, statement: str) -> str:
            """What the account says, and whether it does it."""
            is_query = re.match(r"(select|with)\b", statement)
            try:
                if who == "consumer":
                    rows = consumer.execute(statement).fetchall()
                elif is_query:
                    rows = consumer.execute(by_app, (statement,)).fetchall()
                else:
                    rows = consumer.execute("call as_the_app(%s)", (statement,)).fetchall()
            except DatabaseError as error:
                if account.is_local or "local account" in str(error):
                    return f"refused: {str(error).splitlines()[0][:200]}"
                assert error.errno not in NOT_UNDERSTOOD, error
                return f"refused: {error}"
            return f"works: {rows[0][0]}" if is_query and rows else "works"

        blocks = BLOCK.findall(SECTIONS[question])
        answered = [ask(who, text.strip()) for who, afterwards, text in blocks if not afterwards]
        tidied = [ask(who, text.strip()) for who, afterwards, text in blocks if afterwards]
        answers[question] = next((found for found in answered if found.startswith("refused")), answered[-1])

    assert [found for found in tidied if found.startswith("refused")] == []
    assert app.rows("call data_summary()")


def test_every_question_has_a_command_and_says_what_answers_mean():
    assert len(SECTIONS) >= 15
    for question, text in SECTIONS.items():
        assert question.endswith("?")
        assert re.search(r"^```(sql as the|text)", text, re.MULTILINE), question
        assert re.search(r"^- \S", text, re.MULTILINE), question
