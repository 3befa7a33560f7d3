"""Streamlit objects: the files of a page, copied when it is created, as Snowflake does; and what a process needs that serves one."""

from __future__ import annotations

import re
import shutil
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_account import access, blocks, reply
from local_account.errors import SqlError, unsupported
from local_account.session import Frame
from local_account.syntax import parse_options, split_path

if TYPE_CHECKING:
    from local_account.account import Account
    from local_account.engine import Result
    from local_account.names import Name
    from local_account.session import Session
    from local_account.syntax import Match

SHOWN = "created_on name database_name schema_name title owner comment query_warehouse url_id owner_role_type"


def create(session: Session, match: Match) -> Result:
    account = session.account
    name = account.qualify(session, match.path(), "streamlit")
    if not session.frame or not session.frame.snapshot:
        raise unsupported(f"CREATE STREAMLIT {name[2]} outside an application")
    folder, main, options = page(session.frame.snapshot, match.raw("rest"), name[2])
    existing = account.catalogue.get("streamlit", *name)
    if existing and match.has("if not exists"):
        return reply.status(f"{name[2]} already exists, statement succeeded.")
    if existing and not match.has("or replace"):
        raise reply.exists(name[2])
    if existing:
        access.require(session, "OWNERSHIP", "STREAMLIT", *name)
    if not account.catalogue.get("schema", name[0], "", name[1].split("$")[0]):
        raise access.not_found(session, "SCHEMA", name[0], "", name[1])
    url_id = uuid.uuid4().hex[:20]
    copy = account.stage_directory(*name) / url_id
    shutil.copytree(folder, copy)
    document = {
        "files": str(copy),
        "main_file": main,
        "title": options.get("TITLE", name[2]),
        "comment": options.get("COMMENT", ""),
        "url_id": url_id,
        "owner": session.application or session.role,
        "created_on": account.clock.now().isoformat(),
    }
    with account.change(name[0], session) as change:
        change.delete("streamlit", name[1], name[2])  # with its grants, which CREATE OR REPLACE drops
        change.put("streamlit", name[1], name[2], document)
    if existing:
        shutil.rmtree(existing["files"], ignore_errors=True)
    return reply.status(f"Streamlit {name[2]} successfully created.")


def page(root: Path, rest: str, name: str) -> tuple[Path, str, dict[str, str]]:
    """The folder of a page below the application's root, and its main file, which must be there; and the other options."""
    found = re.match(r"from\s+'([^']*)'\s*([\s\S]*)\Z", rest, re.IGNORECASE)
    if not found:
        message = f"Unsupported feature 'CREATE STREAMLIT {name} without FROM' of the local account"
        raise SqlError(2, f"{message}: FROM '/folder' of the application's files (rule UI-01).")
    written, options = found[1], parse_options(found[2], ("MAIN_FILE", "TITLE", "COMMENT", "QUERY_WAREHOUSE"))
    folder, main = root / written.strip("/"), options.get("MAIN_FILE", "streamlit_app.py").lstrip("/")
    if ".." in Path(written).parts or not folder.is_dir():
        raise SqlError(93_009, f"Streamlit {name}: the application has no folder '{written}' (rule UI-01).")
    if not blocks.is_exact_file(folder / main):
        raise SqlError(
            93_009, f"Streamlit {name}: there is no '{main}' in '{written}' (paths are case-sensitive; rule UI-01)."
        )
    return folder, main, options


def _require(session: Session, path: list[str]) -> tuple[Name, dict[str, Any]]:
    name = session.account.qualify(session, path, "streamlit")
    document = session.account.catalogue.get("streamlit", *name)
    if not document:
        raise access.not_found(session, "STREAMLIT", *name)
    access.require(session, "USAGE", "STREAMLIT", *name)
    return name, document


def drop(session: Session, match: Match) -> Result:
    name = session.account.qualify(session, match.path(), "streamlit")
    document = session.account.catalogue.get("streamlit", *name)
    if not document:
        return reply.nothing_to_drop(match, name[2], access.not_found(session, "STREAMLIT", *name))
    access.require(session, "OWNERSHIP", "STREAMLIT", *name)
    with session.account.change(name[0], session) as change:
        change.delete("streamlit", name[1], name[2])
    shutil.rmtree(document["files"], ignore_errors=True)
    return reply.status(f"{name[2]} successfully dropped.")


def show(session: Session, match: Match) -> Result:
    rows = [
        {
            "created_on": datetime.fromisoformat(document["created_on"]),
            "name": key.name,
            "database_name": key.database,
            "schema_name": key.schema.split("$")[0],
            "title": document["title"],
            "owner": document["owner"],
            "comment": document["comment"],
            "query_warehouse": None,
            "url_id": document["url_id"],
            "owner_role_type": "APPLICATION" if session.account.database(document["owner"]) else "ROLE",
        }
        for key, document in reply.visible(session, "STREAMLIT", match)
    ]
    return reply.rows(SHOWN, rows)


def describe(session: Session, match: Match) -> Result:
    name, document = _require(session, match.path())
    row = {
        "name": name[2],
        "title": document["title"],
        "root_location": None,
        "main_file": document["main_file"],
        "query_warehouse": None,
        "url_id": document["url_id"],
        "default_packages": "python==3.11.*,snowflake-snowpark-python,streamlit",
        "user_packages": "",
        "comment": document["comment"],
    }
    return reply.rows(" ".join(row), [row])


def open_for(account: Account, written: str, role: str | None) -> dict[str, str]:
    """Where the page's files are, and a one-time password that logs in with its owner's rights; the role must hold USAGE on it.

    Pages run like procedures with owner's rights, whoever looks at them
    (docs.snowflake.com/en/developer-guide/streamlit/object-management/owners-rights).
    """
    viewer = account.login("", "", role, None)
    try:
        name, document = _require(viewer, split_path(written))
    finally:
        viewer.close()
    owner = account.database(document["owner"])
    frame = Frame(
        f"Streamlit {written}",
        name[0],
        name[1].split("$")[0],
        application=document["owner"] if owner else None,
        generation=(owner or {}).get("generation", 0),
        role=None if owner else document["owner"],
        snapshot=Path(owner["snapshot"]) if owner else None,
    )
    session = account.system_session(document["owner"], frame)
    session.warehouse = viewer.warehouse
    return {"files": document["files"], "main_file": document["main_file"], "password": account.ticket(session)}
