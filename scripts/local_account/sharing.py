"""What a package shares with its applications: a schema of its own stands in each of them, beside theirs, for their code alone to read
(docs.snowflake.com/en/developer-guide/native-apps/preparing-data-content)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_account import access
from local_account.errors import compilation, missing

if TYPE_CHECKING:
    from local_account.session import Session

GRANTABLE = {"DATABASE": {"REFERENCE_USAGE"}, "SCHEMA": {"USAGE"}, "TABLE": {"SELECT"}, "VIEW": {"SELECT"}}


def require_own(session: Session, package: str, kind: str, database: str, schema: str, name: str) -> None:
    """Only the package's own is shared; a view of it may read databases that it has REFERENCE_USAGE on before."""
    document = session.account.database(package)
    if not document or document["kind"] != "APPLICATION PACKAGE":
        raise missing("Application package", package)
    if kind == "DATABASE":
        return
    if database != package:
        raise compilation(3008, f"{database}.{schema or name} is not of {package}: share a view of it there.")
    view = session.account.catalogue.get("view", database, schema, name) or {"reads": []}
    for other in {read[0] for read in view["reads"]} - {package}:
        if not access.is_granted(
            session.account, {access.share_grantee(package)}, "REFERENCE_USAGE", "DATABASE", other, "", other
        ):
            raise compilation(
                3015,
                f"A view or function being shared cannot reference objects from other databases: grant REFERENCE_USAGE on {other} first.",
            )


def place(session: Session, database: str, schema: str) -> str:
    """The database that code of an application means: its package's where that shares a schema of the name, and never else."""
    account, application = session.account, session.application or ""
    package = (account.database(application) or {}).get("package", "")
    if database == package:
        raise missing("Database", package)
    is_shared = database == application and not account.catalogue.get("schema", database, "", schema)
    return package if is_shared and access.may(session, "USAGE", "SCHEMA", package, "", schema) else database
