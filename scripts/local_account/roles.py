"""Roles, application roles, grants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_account import access, manifests, reply, sharing
from local_account.account import SYSTEM_ROLES, USER
from local_account.catalogue import HOME, Key
from local_account.errors import SqlError, compilation, denied, missing, unsupported
from local_account.shapes import first
from local_account.syntax import like, split_path

if TYPE_CHECKING:
    from local_account.catalogue import Change
    from local_account.engine import Result
    from local_account.session import Session
    from local_account.syntax import Match

_OWNED = (
    *("database", "schema", "warehouse", "role", "procedure", "function", "stream", "task", "stage"),
    *("file format", "streamlit", "feature_policy"),
)


def use(session: Session, match: Match) -> Result:
    role = match.name()
    if role not in access.roles_of_user(session.account, session.user):
        raise SqlError(
            2043,
            f"SQL compilation error: Object does not exist, or operation cannot be performed: role '{role}' (or it was not granted to user {session.user}).",
            "02000",
        )
    session.role = role
    if not access.may_use_warehouse(session, session.warehouse):
        session.warehouse = None
    return reply.status("Statement executed successfully.")


def use_secondary(session: Session, match: Match) -> Result:
    if match.name().upper() != "NONE":
        raise unsupported("secondary roles", "only USE SECONDARY ROLES NONE")
    return reply.status("Statement executed successfully.")


def create(session: Session, match: Match) -> Result:
    role = match.name()
    access.require_on_account(session, "CREATE ROLE")
    if session.account.catalogue.get("role", HOME, "", role):
        if match.has("if not exists"):
            return reply.status(f"{role} already exists, statement succeeded.")
        if not match.has("or replace"):
            raise reply.exists(role)
        _end(session, role)
    with session.account.change(HOME, session) as change:
        change.put(
            "role",
            "",
            role,
            {
                "owner": session.role,
                "created_on": session.account.clock.now().isoformat(),
                "granted_to": [],
                **_comment(match),
            },
        )
    return reply.status(f"Role {role} successfully created.")


def drop(session: Session, match: Match) -> Result:
    role = match.name()
    if not session.account.catalogue.get("role", HOME, "", role):
        return reply.nothing_to_drop(match, role, missing("Role", role))
    _end(session, role)
    return reply.status(f"{role} successfully dropped.")


def _end(session: Session, role: str) -> None:
    """What the role holds goes with it, and what it owns to whoever drops it (docs.snowflake.com/en/sql-reference/sql/drop-role)."""
    _require_manager(session, "ROLE", HOME, "", role)
    if role in (*SYSTEM_ROLES, session.role):
        raise denied(f"role '{role}' is {'in use' if role == session.role else 'a system role'}: it cannot be dropped.")
    catalogue = session.account.catalogue
    for database in (HOME, *(key.name for key, _ in catalogue.find("database", HOME))):
        if access.is_application(session, database):
            continue  # where the application owns, whatever its name
        with session.account.change(database, session) as change:
            for kind in _OWNED:
                for key, document in catalogue.find(kind, database):
                    if document.get("owner") == role:
                        _give(session, change, key, document, session.role)
    forget(session, access.holder("ROLE", role))
    with session.account.change(HOME, session) as change:
        change.delete("role", "", role)


def _give(session: Session, change: Change, key: Key, document: dict[str, Any], role: str) -> None:
    """A task pauses until its new owner resumes it (docs.snowflake.com/en/user-guide/tasks-intro)."""
    paused = {"state": "suspended", "suspended_on": session.account.clock.now().isoformat()}
    is_started = key.kind == "task" and document["state"] == "started"
    change.put(key.kind, key.schema, key.name, {**document, "owner": role, **(paused if is_started else {})})


def grant_ownership(session: Session, match: Match) -> Result:
    catalogue, role, kind = session.account.catalogue, match.name("to"), " ".join(match.raw("kind").upper().split())
    if not catalogue.get("role", HOME, "", role):
        raise missing("Role", role)
    for kind_, database, schema, name in _targets(session, kind, match.raw("on")):
        _require_manager(session, kind_, database, schema, name)
        access.require_own_code(session, database)
        is_database = kind_ in ("DATABASE", "APPLICATION PACKAGE")
        key = Key("database" if is_database else kind_.lower(), HOME if is_database else database, schema, name)
        document = catalogue.get(*key)
        if not document:
            raise unsupported(f"GRANT OWNERSHIP ON {kind}", "who owns its schema owns it")
        granted = [
            found
            for found, held in catalogue.find("grant", database, schema)
            if held["roles"] and found.name.rpartition(":")[0] == f"{kind_}:{name}"
        ]
        if granted and not match.has("copy current grants") and not match.has("revoke current grants"):
            raise denied(
                f"Dependent grant of privilege '{granted[0].name.rpartition(':')[2]}' on '{name}' exists. It must be revoked first, or use COPY or REVOKE CURRENT GRANTS."
            )
        if match.has("revoke current grants"):
            with session.account.change(database, session) as change:
                change.move_grants(kind_, schema, name)
        with session.account.change(key.database, session) as change:
            _give(session, change, key, document, role)
    return reply.status("Statement executed successfully.")


def create_application_role(session: Session, match: Match) -> Result:
    database, role = _application_role(session, match.path())
    if session.application != database:
        raise denied("CREATE APPLICATION ROLE works only in an application's own code (its setup script).")
    if session.account.catalogue.get("application_role", database, "", role) and not match.has("or replace"):
        if match.has("if not exists") or match.has("or alter"):
            return reply.status(f"{role} already exists, statement succeeded.")
        raise reply.exists(role)
    owner = access.holder("ROLE", (session.account.database(database) or {})["owner"])
    with session.account.change(database, session) as change:
        _forget_grants(session, change, {_application_holder(database, role)})
        # Every application role is granted to the role that installed the application.
        change.put(
            "application_role",
            "",
            role,
            {"created_on": session.account.clock.now().isoformat(), "granted_to": [owner], **_comment(match)},
        )
    return reply.status(f"Application role {role} successfully created.")


def drop_application_role(session: Session, match: Match) -> Result:
    database, role = _application_role(session, match.path())
    if session.application != database:
        raise denied("DROP APPLICATION ROLE works only in an application's own code.")
    if not session.account.catalogue.get("application_role", database, "", role):
        return reply.nothing_to_drop(match, role, missing("Application role", role))
    with session.account.change(database, session) as change:
        change.delete("application_role", "", role)
        _forget_grants(session, change, {_application_holder(database, role)})
    return reply.status(f"{role} successfully dropped.")


def forget(session: Session, *holders: str) -> None:
    for database in (HOME, *(key.name for key, _ in session.account.catalogue.find("database", HOME))):
        with session.account.change(database, session) as change:
            _forget_grants(session, change, set(holders))


def forget_application(session: Session, name: str) -> None:
    roles = [key.name for key, _ in session.account.catalogue.find("application_role", name)]
    forget(session, access.holder(access.APPLICATION, name), *(_application_holder(name, role) for role in roles))


def _forget_grants(session: Session, change: Change, holders: set[str]) -> None:
    """What a role holds goes with it: a later one of its name starts with nothing."""
    for kind, field in access.LISTS_OF_HOLDERS:
        for key, document in session.account.catalogue.find(kind, change.database):
            if holders.intersection(document[field]):
                left = [other for other in document[field] if other not in holders]
                change.put(kind, key.schema, key.name, {**document, field: left})


def _comment(match: Match) -> dict[str, str]:
    return {"comment": match.options("COMMENT").get("COMMENT", "")} if match.groups.get("rest") else {"comment": ""}


def _application_role(session: Session, path: list[str]) -> tuple[str, str]:
    database = (
        path[0]
        if len(path) == 2
        else session.application or session.account.current_database(session, "application role")
    )
    return database, path[-1]


def _application_holder(database: str, role: str) -> str:
    return access.holder("APPLICATION ROLE", database, role)


def grant_role(session: Session, match: Match) -> Result:
    return _change_role(session, "role", HOME, match.name("role"), match, add=True)


def revoke_role(session: Session, match: Match) -> Result:
    return _change_role(session, "role", HOME, match.name("role"), match, add=False)


def grant_application_role(session: Session, match: Match) -> Result:
    return _change_role(session, "application_role", *_application_role(session, match.path("role")), match, add=True)


def revoke_application_role(session: Session, match: Match) -> Result:
    return _change_role(session, "application_role", *_application_role(session, match.path("role")), match, add=False)


def _change_role(session: Session, kind: str, database: str, role: str, match: Match, *, add: bool) -> Result:
    account = session.account
    document = account.catalogue.get(kind, database, "", role)
    if document is None or (kind == "application_role" and not access.sees(session, database)):
        raise SqlError(
            2003,
            f"SQL compilation error: {kind.replace('_', ' ').capitalize()} '{role}' does not exist or not authorized.",
            "02000",
        )
    to_kind, path = match.raw("to_kind").upper(), match.path("to")
    if to_kind == "APPLICATION ROLE":
        to_database, to_role = _application_role(session, path)
        if not account.catalogue.get("application_role", to_database, "", to_role):
            raise missing("Application role", to_role)
        access.require_own_code(session, to_database)
        grantee = _application_holder(to_database, to_role)
    elif to_kind == "ROLE":
        grantee = access.holder("ROLE", path[-1])
        if not account.catalogue.get("role", HOME, "", path[-1]):
            raise missing("Role", path[-1])
    elif to_kind == "USER":
        if path[-1] not in (USER, session.user):
            raise missing("User", path[-1])
        grantee = access.holder("USER", path[-1])
    else:
        raise unsupported(f"GRANT ROLE TO {to_kind}")
    if kind == "application_role" and session.application != database and not _manages(session, database):
        raise denied(f"only the owner of application {database} may grant its roles.")
    if kind == "role":
        _require_manager(session, "ROLE", HOME, "", role)
    held = access.holder("ROLE", role) if kind == "role" else _application_holder(database, role)
    if add and grantee in access.inherited(account, held):
        raise denied(f"'{role}' cannot be granted to what it holds, or to itself.")
    holders = [holder for holder in document["granted_to"] if holder != grantee] + ([grantee] if add else [])
    with account.change(database, session) as change:
        change.put(kind, "", role, {**document, "granted_to": holders})
    return reply.status("Statement executed successfully.")


def _require_manager(session: Session, kind: str, database: str, schema: str, name: str) -> None:
    """Who grants owns what he grants on, or holds MANAGE GRANTS (docs.snowflake.com/en/sql-reference/sql/grant-privilege)."""
    if session.application or not access.holds_on_account(session, "MANAGE GRANTS"):
        access.require(session, "OWNERSHIP", kind, database, schema, name)


def _manages(session: Session, database: str) -> bool:
    owner = (session.account.database(database) or {}).get("owner")
    return not session.application and bool({owner, "ACCOUNTADMIN"} & access.roles_of(session))


def grant(session: Session, match: Match) -> Result:
    return _change_privileges(session, match, add=True)


def revoke(session: Session, match: Match) -> Result:
    return _change_privileges(session, match, add=False)


def _change_privileges(session: Session, match: Match, *, add: bool) -> Result:
    account = session.account
    kind = " ".join(match.raw("kind").upper().split()) or ("TABLE" if match.groups.get("on") else "ACCOUNT")
    privileges = [" ".join(privilege.upper().split()) for privilege in match.raw("privileges").split(",")]
    to_kind = " ".join(match.raw("to_kind").upper().split())
    shared = to_kind == access.SHARE
    if to_kind == "APPLICATION ROLE":
        to_database, to_role = _application_role(session, match.path("to"))
        if not account.catalogue.get("application_role", to_database, "", to_role):
            raise missing("Application role", to_role)
        access.require_own_code(session, to_database)
        grantee = _application_holder(to_database, to_role)
    elif shared:
        grantee = access.share_grantee(match.name("to"))
    elif to_kind in ("ROLE", access.APPLICATION):
        grantee = access.holder(to_kind, match.name("to"))
        is_role = account.catalogue.get("role", HOME, "", match.name("to"))
        if not (is_role if to_kind == "ROLE" else access.is_application(session, match.name("to"))):
            raise missing(to_kind.capitalize(), match.name("to"))
    else:
        raise unsupported(f"GRANT TO {to_kind}")
    if match.has("grant option for"):
        raise unsupported("REVOKE GRANT OPTION FOR", "grant options are not kept")
    if kind.startswith("FUTURE"):
        raise SqlError(
            2,
            "Unsupported feature 'GRANT ON FUTURE': not in applications (versioned schemas); grant after each CREATE.",
        )
    if kind == "ACCOUNT":
        return _grant_on_account(session, privileges, to_kind, match.name("to"), add=add)
    for target_kind, database, schema, name in _targets(session, kind, match.raw("on")):
        if shared:
            sharing.require_own(session, match.name("to"), target_kind, database, schema, name)
        outside = {} if to_kind == "APPLICATION ROLE" else access.GRANTABLE_OUTSIDE
        allowed = (sharing.GRANTABLE if shared else access.GRANTABLE | outside).get(
            "VIEW" if kind in ("VIEW", "ALL VIEWS IN SCHEMA") else target_kind
        )
        if not allowed:
            raise compilation(3008, f"Nothing can be granted on a {kind.lower()} to {to_kind} (rule SET-14).")
        _require_manager(session, target_kind, database, schema, name)
        access.require_own_code(session, database)
        wanted = sorted(allowed) if privileges in (["ALL"], ["ALL PRIVILEGES"]) else privileges
        with account.change(database, session) as change:
            for privilege in wanted:
                if privilege not in allowed:
                    raise SqlError(
                        3008,
                        f"SQL compilation error: {privilege} cannot be granted on a {target_kind.lower()} (possible: {', '.join(sorted(allowed))}; rule SET-14).",
                    )
                key = access.grant_name(target_kind, name, privilege)
                _change_holders(session, change, database, schema, key, grantee, add=add)
    return reply.status("Statement executed successfully.")


def _change_holders(
    session: Session, change: Change, database: str, schema: str, key: str, grantee: str, *, add: bool
) -> None:
    roles = set((session.account.catalogue.get("grant", database, schema, key) or {}).get("roles", []))
    change.put("grant", schema, key, {"roles": sorted(roles | {grantee} if add else roles - {grantee})})


def _grant_on_account(session: Session, privileges: list[str], to_kind: str, grantee: str, *, add: bool) -> Result:
    access.require_on_account(session, "MANAGE GRANTS")
    if to_kind == "ROLE" and access.ON_ACCOUNT.issuperset(privileges):
        held_by = access.holder("ROLE", grantee)
        with session.account.change(HOME, session) as change:
            for privilege in privileges:
                _change_holders(
                    session, change, HOME, "", access.grant_name("ACCOUNT", "", privilege), held_by, add=add
                )
        return reply.status("Statement executed successfully.")
    if to_kind != "APPLICATION":
        raise unsupported(f"GRANT {', '.join(privileges)} ON ACCOUNT TO {to_kind}")
    document = session.account.database(grantee) or {}
    for privilege in privileges:
        if privilege not in document.get("requested", []):
            raise SqlError(93_118, f"The manifest of application {grantee} does not ask for the privilege {privilege}.")
    automatic = manifests.granted(manifests.read(Path(document["snapshot"])))
    if not add and (fixed := sorted(set(automatic).intersection(privileges))):
        raise denied(
            f"{', '.join(fixed)} came with the installation (manifest_version: 2) and cannot be revoked from {grantee}: "
            "a feature policy forbids what it allows to create."
        )
    held = set(document.get("privileges", []))
    held = held | set(privileges) if add else held - set(privileges)
    with session.account.change(HOME, session) as change:
        change.put("database", "", grantee, {**document, "privileges": sorted(held)})
    return reply.status("Statement executed successfully.")


def _targets(session: Session, kind: str, written: str) -> list[tuple[str, str, str, str]]:
    """(kind, database, physical schema, name) of what a GRANT names, after checking that it is there."""
    account = session.account
    if kind.startswith("ALL "):
        return _all_in_schema(session, kind, written)
    if kind in ("DATABASE", "APPLICATION PACKAGE", "WAREHOUSE", "APPLICATION"):
        name = split_path(written)[0]
        if kind == "WAREHOUSE":
            if not account.catalogue.get("warehouse", HOME, "", name) or not access.may(
                session, "ANY", *(kind, HOME, "", name)
            ):
                raise missing("Warehouse", name)
            return [(kind, HOME, "", name)]
        if not account.database(name):
            raise access.not_found(session, kind, name, "", name)
        return [(kind, name, "", name)]
    if kind == "SCHEMA":
        database, schema = account.qualify_schema(session, split_path(written))
        if not account.catalogue.get("schema", database, "", schema):
            raise access.not_found(session, "SCHEMA", database, "", schema)
        return [("SCHEMA", database, "", account.physical_schema(session, database, schema))]
    if kind in ("PROCEDURE", "FUNCTION"):
        from local_account.procedures import find_signature

        return [(kind, *find_signature(session, kind, written))]
    if kind not in access.GRANTABLE:
        raise unsupported(f"GRANT ON {kind}")
    database, schema, name = account.qualify(session, split_path(written), kind.lower())
    _require_object(session, kind, database, schema, name)
    # DuckDB keeps tables and views under one name; a grant on either is a grant on the name.
    return [("TABLE" if kind == "VIEW" else kind, database, schema, name)]


def _require_object(session: Session, kind: str, database: str, schema: str, name: str) -> None:
    if kind in ("TABLE", "VIEW"):
        row = first(
            session.cursor.execute(
                "select table_type from information_schema.tables where table_catalog = ? and table_schema = ? and table_name = ?",
                [database, schema, name],
            )
        )
        found = row is not None
        if found and kind != (is_kind := row[0].removeprefix("BASE ")):
            raise compilation(2203, f"Object found is of type '{is_kind}', not specified type '{kind}'.", "42710")
    else:
        found = session.account.catalogue.get(kind.lower(), database, schema, name) is not None
    if not found or not session.account.database(database):
        raise access.not_found(session, kind, database, schema, name)


def _all_in_schema(session: Session, kind: str, written: str) -> list[tuple[str, str, str, str]]:
    words = kind.split()  # ALL TABLES IN SCHEMA
    if words[-2:] != ["IN", "SCHEMA"]:
        raise unsupported(f"GRANT ON {kind}")
    what = words[1].removesuffix("S")
    database, schema = session.account.qualify_schema(session, split_path(written))
    physical = session.account.physical_schema(session, database, schema)
    if what in ("TABLE", "VIEW"):
        kinds = "BASE TABLE" if what == "TABLE" else "VIEW"
        names = session.cursor.execute(
            "select table_name from information_schema.tables where table_catalog = ? and table_schema = ? and table_type = ?",
            [database, physical, kinds],
        ).fetchall()
        return [("TABLE", database, physical, name) for (name,) in names]
    return [
        (what, database, physical, key.name)
        for key, _ in session.account.catalogue.find(what.lower(), database, physical)
    ]


def show(session: Session, match: Match) -> Result:
    pattern = match.literal("pattern") if match.raw("pattern") else "%"
    held = access.roles_of(session)
    rows = [
        {
            "created_on": datetime.fromisoformat(document["created_on"]),
            "name": key.name,
            "is_default": "Y" if key.name == "ACCOUNTADMIN" else "N",
            "is_current": "Y" if key.name == session.role else "N",
            "is_inherited": "Y" if key.name in held and key.name != session.role else "N",
            "assigned_to_users": 1 if key.name == "ACCOUNTADMIN" else 0,
            "granted_to_roles": len(document["granted_to"]),
            "granted_roles": 0,
            "owner": document["owner"],
            "comment": document.get("comment", ""),
        }
        for key, document in session.account.catalogue.find("role", HOME)
        if like(pattern, key.name)
    ]
    return reply.rows(
        "created_on name is_default is_current is_inherited assigned_to_users granted_to_roles granted_roles owner comment",
        rows,
    )


def show_application_roles(session: Session, match: Match) -> Result:
    database = match.name("scope")
    if not (access.is_application(session, database) and access.sees(session, database)):
        raise missing("Application", database)
    rows = [
        {
            "created_on": datetime.fromisoformat(document["created_on"]),
            "name": key.name,
            "owner": database,
            "comment": document.get("comment", ""),
            "owner_role_type": "APPLICATION",
        }
        for key, document in session.account.catalogue.find("application_role", database)
    ]
    return reply.rows("created_on name owner comment owner_role_type", rows)


def show_grants(session: Session, match: Match) -> Result:
    """SHOW GRANTS TO ROLE | TO APPLICATION ROLE | ON kind name."""
    direction, kind = match.raw("direction").upper(), " ".join(match.raw("kind").upper().split())
    if direction == "OF":
        raise unsupported(f"SHOW GRANTS OF {kind}")
    grants = _grants_on(session, kind, match.raw("name")) if direction == "ON" else _grants_to(session, kind, match)
    rows = []
    for key, holder in grants:
        object_kind, _, rest = key.name.partition(":")
        name, _, privilege = rest.rpartition(":")
        path = ("" if name == key.database else key.database, key.schema.split("$")[0], name.split("$")[0])
        to_kind, to = access.read_holder(holder)
        rows.append(
            {
                "created_on": session.account.clock.now(),
                "privilege": privilege,
                "granted_on": object_kind,
                "name": ".".join(filter(None, path)),
                "granted_to": "APPLICATION PACKAGE SHARE" if to_kind == access.SHARE else to_kind.replace(" ", "_"),
                "grantee_name": ".".join(to),
                "grant_option": "false",
                "granted_by": key.database,
            }
        )
    return reply.rows("created_on privilege granted_on name granted_to grantee_name grant_option granted_by", rows)


def _grants_on(session: Session, kind: str, written: str) -> Iterator[tuple[Key, str]]:
    for found, database, schema, name in _targets(session, kind, written):
        access.require(session, "ANY", found, database, schema, name)
        for key, document in session.account.catalogue.find("grant", database, schema):
            if key.name.rpartition(":")[0] == f"{found}:{name}":
                yield from ((key, holder) for holder in document["roles"])


def _grants_to(session: Session, kind: str, match: Match) -> Iterator[tuple[Key, str]]:
    path = match.path("name")
    names = _application_role(session, path) if kind == "APPLICATION ROLE" else path[-1:]
    if kind == "ROLE" and not session.account.catalogue.get("role", HOME, "", path[-1]):
        raise missing("Role", path[-1])
    holder = access.holder(kind, *names)
    for key, document in session.account.catalogue.find("grant"):
        name = key.name.partition(":")[2].rpartition(":")[0]
        if holder in document["roles"] and reply.is_active(session, key.database, key.schema or name):
            yield key, holder
