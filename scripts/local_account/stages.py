"""Internal stages: directories of files. The client copies files itself (same machine), the account says where to."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as file_name

from local_account import access, reply, temporaries
from local_account.engine import Result
from local_account.errors import syntax_error, unsupported
from local_account.syntax import IDENTIFIER, parse_options, split_path, unquote_text

if TYPE_CHECKING:
    from local_account.names import Name
    from local_account.session import Session
    from local_account.syntax import Match

_STAGE = re.compile(rf"@(?P<path>{IDENTIFIER}(?:\.{IDENTIFIER}){{0,2}})(?P<rest>/.*)?\Z", re.DOTALL)


class Transfer(Result):
    """A PUT or GET: the client does the copying, told by ``instructions``."""

    instructions: dict[str, Any]


def create(session: Session, match: Match) -> Result:
    name = session.account.qualify(session, match.path(), "stage")
    rest = re.sub(
        r"(encryption|directory|file_format)\s*=\s*\([^()]*(?:\([^()]*\)[^()]*)*\)",
        "",
        match.raw("rest"),
        flags=re.IGNORECASE,
    )
    options = parse_options(rest, ("COMMENT",))
    if not session.account.catalogue.get("schema", name[0], "", name[1].split("$")[0]):
        raise access.not_found(session, "SCHEMA", name[0], "", name[1])
    access.require_creation(session, "STAGE", *name[:2])
    if session.account.catalogue.get("stage", *name):
        if match.has("if not exists"):
            return reply.status(f"{name[2]} already exists, statement succeeded.")
        if not match.has("or replace"):
            raise reply.exists(name[2])
        access.require(session, "OWNERSHIP", "STAGE", *name)
    old, folder = directory(session, name), file_name(name[2], safe="")
    if session.account.catalogue.get("stage", *name):  # its files stay until the new stage is committed
        folder = f"{folder}@{time.time_ns()}"
    else:
        shutil.rmtree(old, ignore_errors=True)  # what a crash has left of one that was dropped
    with session.account.change(name[0], session) as change:
        change.delete("stage", name[1], name[2])  # with its grants, which CREATE OR REPLACE drops
        change.put(
            "stage",
            name[1],
            name[2],
            {
                "owner": session.application or session.role,
                "created_on": session.account.clock.now().isoformat(),
                "comment": options.get("COMMENT", ""),
                "folder": folder,
            },
        )
    if old != directory(session, name):
        shutil.rmtree(old, ignore_errors=True)
    return reply.status(f"Stage area {name[2]} successfully created.")


def drop(session: Session, match: Match) -> Result:
    name = session.account.qualify(session, match.path(), "stage")
    if not session.account.catalogue.get("stage", *name):
        return reply.nothing_to_drop(match, name[2], access.not_found(session, "STAGE", *name))
    access.require(session, "OWNERSHIP", "STAGE", *name)
    old = directory(session, name)
    with session.account.change(name[0], session) as change:
        change.delete("stage", name[1], name[2])
    shutil.rmtree(old, ignore_errors=True)
    return reply.status(f"{name[2]} successfully dropped.")


def describe(session: Session, match: Match) -> Result:
    """What its properties would say of any internal stage, of which nothing can be set here."""
    access.require(session, "ANY", "STAGE", *session.account.qualify(session, match.path(), "stage"))
    columns = "parent_property property property_type property_value property_default"
    rows = [("STAGE_LOCATION", "URL", "String", "", ""), ("DIRECTORY", "ENABLE", "Boolean", "false", "false")]
    return reply.rows(columns, [dict(zip(columns.split(), row, strict=True)) for row in rows])


def directory(session: Session, name: Name) -> Path:
    """Where its files are: a stage that replaced another has a folder of its own."""
    document = session.account.catalogue.get("stage", *name) or {}
    above = session.account.stage_directory(*name[:2])
    return above / document.get("folder", file_name(name[2], safe=""))


def locate(session: Session, written: str, privilege: str = "READ") -> tuple[Name, str]:
    """(stage, path below it) of '@db.schema.stage/dir/file'; quoted as a whole, too."""
    written = unquote_text(written.strip())
    found = _STAGE.match(written)
    if written.startswith(("@~", "@%")):
        raise unsupported("the stages of users and tables (@~, @%)")
    if not found:
        raise syntax_error(f"'{written}' is not a stage location (@stage/path).")
    name = session.account.qualify(session, split_path(found["path"]), "stage")
    if not session.account.catalogue.get("stage", *name):
        raise access.not_found(session, "STAGE", *name)
    access.require(session, privilege, "STAGE", *name)
    path = (found["rest"] or "").strip("/")
    if ".." in PurePosixPath(path).parts:
        raise syntax_error(f"'{written}' leads out of the stage.")
    return name, path


def local_path(session: Session, written: str) -> Path:
    name, path = locate(session, written)
    return directory(session, name) / path


def files(session: Session, name: Name, path: str) -> list[tuple[str, Path]]:
    """(path below the stage, file) of every file that is the path or lies below it."""
    root = directory(session, name)
    found = sorted(file for file in root.rglob("*") if file.is_file())
    names = [(file.relative_to(root).as_posix(), file) for file in found]
    return [
        (relative, file) for relative, file in names if relative == path or not path or relative.startswith(f"{path}/")
    ]


def list_files(session: Session, match: Match) -> Result:
    location, _, pattern = _split_pattern(match.raw("rest"))
    name, path = locate(session, location)
    rows = []
    for relative, file in files(session, name, path):
        if pattern and not re.fullmatch(pattern, relative):
            continue
        status = file.stat()
        rows.append(
            {
                "name": f"{temporaries.plain(name[2]).lower()}/{relative}",
                "size": status.st_size,
                "md5": hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest(),
                "last_modified": format_datetime(datetime.fromtimestamp(status.st_mtime, UTC), usegmt=True),
            }
        )
    return reply.rows("name size md5 last_modified", rows)


def _split_pattern(text: str) -> tuple[str, str, str | None]:
    found = re.match(r"([\s\S]*?)\s+pattern\s*=\s*('(?:[^']|'')*')\s*\Z", text, re.IGNORECASE)
    return (found[1], "", unquote_text(found[2])) if found else (text, "", None)


def remove(session: Session, match: Match) -> Result:
    location, _, pattern = _split_pattern(match.raw("rest"))
    name, path = locate(session, location, "WRITE")
    rows = []
    for relative, file in files(session, name, path):
        if not pattern or re.fullmatch(pattern, relative):
            file.unlink()
            rows.append({"name": f"{temporaries.plain(name[2]).lower()}/{relative}", "result": "removed"})
    return reply.rows("name result", rows)


def put(session: Session, match: Match) -> Result:
    """PUT file://path @stage: the client copies the file into the stage's directory."""
    found = re.match(r"('(?:[^']|'')*'|\S+)\s+('(?:[^']|'')*'|@\S+|\?)\s*([\s\S]*)\Z", match.raw("rest"))
    if not found:
        raise syntax_error("PUT file://<path> @<stage> [options]")
    source = unquote_text(found[1]).removeprefix("file://")
    options = parse_options(found[3], ("AUTO_COMPRESS", "PARALLEL", "OVERWRITE", "SOURCE_COMPRESSION"))
    name, path = locate(session, str(match.binds[0]) if found[2] == "?" else found[2], "WRITE")
    target = directory(session, name) / path
    target.mkdir(parents=True, exist_ok=True)
    return _transfer(
        {
            "command": "UPLOAD",
            "src_locations": [source],
            "parallel": int(options.get("PARALLEL", 4)),
            "autoCompress": options.get("AUTO_COMPRESS", "TRUE").upper() == "TRUE",
            "overwrite": options.get("OVERWRITE", "FALSE").upper() == "TRUE",
            "sourceCompression": options.get("SOURCE_COMPRESSION", "auto_detect").lower(),
            "stageInfo": {
                "locationType": "LOCAL_FS",
                "location": str(target),
                "creds": {},
                "isClientSideEncrypted": False,
            },
            "encryptionMaterial": None,
        }
    )


def get(session: Session, match: Match) -> Result:
    found = re.match(r"('(?:[^']|'')*'|@\S+)\s+('(?:[^']|'')*'|\S+)\s*([\s\S]*)\Z", match.raw("rest"))
    if not found:
        raise syntax_error("GET @<stage>/<path> file://<directory> [options]")
    options = parse_options(found[3], ("PARALLEL", "PATTERN"))
    name, path = locate(session, found[1])
    there = [
        relative
        for relative, _ in files(session, name, path)
        if "PATTERN" not in options or re.fullmatch(options["PATTERN"], relative)
    ]
    return _transfer(
        {
            "command": "DOWNLOAD",
            "src_locations": there,
            "localLocation": unquote_text(found[2]).removeprefix("file://"),
            "parallel": int(options.get("PARALLEL", 4)),
            "encryptionMaterial": [None] * len(there),
            "stageInfo": {
                "locationType": "LOCAL_FS",
                "location": str(directory(session, name)),
                "creds": {},
                "isClientSideEncrypted": False,
            },
        }
    )


def _transfer(instructions: dict[str, Any]) -> Transfer:
    empty = reply.rows("status", [])
    transfer = Transfer(empty.columns, empty.table, 0, "transfer")
    transfer.instructions = instructions
    return transfer


def show(session: Session, match: Match) -> Result:
    rows = [
        {
            "created_on": datetime.fromisoformat(document["created_on"]),
            "name": key.name,
            "database_name": key.database,
            "schema_name": key.schema,
            "url": "",
            "has_credentials": "N",
            "has_encryption_key": "N",
            "owner": document["owner"],
            "comment": document["comment"],
            "type": "INTERNAL NO CSE",
        }
        for key, document in reply.visible(session, "STAGE", match)
    ]
    return reply.rows(
        "created_on name database_name schema_name url has_credentials has_encryption_key owner comment type", rows
    )
