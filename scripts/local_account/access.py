"""Who may do what: roles, their inheritance, grants, ownership, and owner's rights.

Inside an application only grants count: not even ACCOUNTADMIN sees an object that no application role of its was granted
(docs.snowflake.com/en/developer-guide/native-apps/creating-setup-script). Code that the application owns may do everything inside it and
nothing outside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_account import manifests
from local_account.catalogue import HOME, quote
from local_account.errors import SqlError, denied, missing
from local_account.syntax import split_path

if TYPE_CHECKING:
    from local_account.account import Account
    from local_account.catalogue import Key
    from local_account.session import Session

APPLICATION = "APPLICATION"
SHARE = "SHARE IN APPLICATION PACKAGE"
# What a role may be granted on the account; MANAGE GRANTS is for who grants what he does not own.
ON_ACCOUNT = {f"CREATE {what}" for what in ("APPLICATION", "APPLICATION PACKAGE", "DATABASE", "ROLE", "WAREHOUSE")}
ON_ACCOUNT |= {"MANAGE GRANTS", "EXECUTE TASK", "EXECUTE MANAGED TASK"}
LISTS_OF_HOLDERS = (("grant", "roles"), ("role", "granted_to"), ("application_role", "granted_to"))
# kind of object -> what may be granted on it to an application role
# (docs.snowflake.com/en/sql-reference/sql/grant-privilege-application-role)
GRANTABLE = {
    "TABLE": {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "EVOLVE SCHEMA", "APPLYBUDGET"},
    "VIEW": {"SELECT", "REFERENCES"},
    "STREAM": {"SELECT"},
    "DYNAMIC TABLE": {"SELECT", "OPERATE"},
    "FILE FORMAT": {"USAGE"},
    "TASK": {"MONITOR", "OPERATE", "APPLYBUDGET"},
    "PROCEDURE": {"USAGE"},
    "FUNCTION": {"USAGE"},
    "SEQUENCE": {"USAGE"},
    "STAGE": {"READ", "WRITE"},
    "SCHEMA": {"USAGE", "MONITOR", "MODIFY"},
    "STREAMLIT": {"USAGE"},
}
GRANTABLE["SCHEMA"] |= {f"CREATE {kind}" for kind in (*GRANTABLE, "FEATURE POLICY") if kind != "SCHEMA"}
# what may be granted besides to roles and applications (docs.snowflake.com/en/user-guide/security-access-control-privileges)
GRANTABLE_OUTSIDE = {
    "DATABASE": {"USAGE", "MODIFY", "MONITOR", "CREATE SCHEMA", "APPLYBUDGET"},
    "WAREHOUSE": {"USAGE", "OPERATE", "MODIFY", "MONITOR", "APPLYBUDGET"},
    "APPLICATION PACKAGE": {"ATTACH LISTING", "DEVELOP", "INSTALL", "MANAGE RELEASES", "MANAGE VERSIONS"},
}


def holder(kind: str, *names: str) -> str:
    """How a grant's list of holders names one: with its kind, because a role may be called like an application, or "APP.ROLE"."""
    return f"{kind} {'.'.join(map(quote, names))}"


def share_grantee(package: str) -> str:
    """What a package shares with its applications (sharing.py)."""
    return holder(SHARE, package)


def read_holder(written: str) -> tuple[str, list[str]]:
    """(kind, names) of a holder."""
    kind, _, names = written.partition(' "')
    return kind, split_path(f'"{names}')


def renew_holders(account: Account) -> None:
    """Older accounts wrote the bare name of a holder."""
    for kind, field in LISTS_OF_HOLDERS:
        for key, document in account.catalogue.find(kind):
            renewed = [_renewed(account, written) for written in document[field]]
            if renewed != document[field]:
                with account.change(key.database) as change:
                    change.put(kind, key.schema, key.name, {**document, field: renewed})


def _renewed(account: Account, written: str) -> str:
    if re.match(f'(ROLE|USER|APPLICATION|APPLICATION ROLE|{SHARE}) "', written):
        return written
    if written.startswith("@"):
        return holder("USER", written[1:])
    if written.startswith(f"{SHARE} "):
        return share_grantee(written.removeprefix(f"{SHARE} "))
    database, _, role = written.partition(".")
    if account.catalogue.get("application_role", database, "", role):
        return holder("APPLICATION ROLE", database, role)
    is_role = account.catalogue.get("role", HOME, "", written) or not account.database(written)
    return holder("ROLE" if is_role else APPLICATION, written)


_ADMINISTRATOR, _PUBLIC = holder("ROLE", "ACCOUNTADMIN"), holder("ROLE", "PUBLIC")


def roles_of(session: Session) -> set[str]:
    """The session's role and all account roles that it inherits."""
    return _names_of_roles(_holders(session))


def roles_of_user(account: Account, user: str) -> set[str]:
    """The roles that a user may take: every user of this account is its administrator, and may hold granted roles besides."""
    return _names_of_roles(inherited(account, _ADMINISTRATOR, _PUBLIC, holder("USER", user)))


def _names_of_roles(holders: set[str]) -> set[str]:
    return {names[0] for kind, names in map(read_holder, holders) if kind == "ROLE"}


def _holders(session: Session) -> set[str]:
    """Those whose grants count for the session."""
    if not session.application:
        return inherited(session.account, holder("ROLE", session.role), _PUBLIC)
    package = (session.account.database(session.application) or {}).get("package", "")
    return {holder(APPLICATION, session.application), share_grantee(package)}


def inherited(account: Account, *first: str) -> set[str]:
    """The holders given, and all roles that these hold."""
    catalogue, waiting = account.catalogue, list(first)
    held: set[str] = set()
    parents = [
        (parent, holder("ROLE", key.name) if kind == "role" else holder("APPLICATION ROLE", key.database, key.name))
        for kind in ("role", "application_role")
        for key, document in catalogue.find(kind)
        for parent in document.get("granted_to", [])
    ]
    while waiting:
        role = waiting.pop()
        if role in held:
            continue
        held.add(role)
        waiting += [child for parent, child in parents if parent == role]
    return held


def is_application(session: Session, database: str) -> bool:
    document = session.account.database(database)
    return bool(document and document.get("kind") == APPLICATION)


def sees(session: Session, database: str, schema: str = "") -> bool:
    """Whether the session holds anything on a database, or on a (physical) schema: what it does not see is not there for it
    (docs.snowflake.com/en/user-guide/security-access-control-overview)."""
    document = session.account.database(database)
    if not document or schema:
        return bool(document) and sees(session, database) and may(session, "ANY", "SCHEMA", database, "", schema)
    if document["kind"] == APPLICATION and session.application != database:
        held = _holders(session)
        roles = {holder("APPLICATION ROLE", database, key.name) for key, _ in _roles_in(session, database)}
        return bool({holder("ROLE", document["owner"]), _ADMINISTRATOR, *roles} & held)
    kinds = ("DATABASE", "APPLICATION PACKAGE") if document["kind"] == "APPLICATION PACKAGE" else ("DATABASE",)
    return any(may(session, "ANY", kind, database, "", database) for kind in kinds)


def _roles_in(session: Session, application: str) -> list[tuple[Key, dict[str, Any]]]:
    return session.account.catalogue.find("application_role", application)


def database(session: Session, name: str) -> dict[str, Any] | None:
    """The document of a database, package or application, where the session sees it."""
    return session.account.database(name) if sees(session, name) else None


def may(session: Session, privilege: str, kind: str, database: str, schema: str, name: str) -> bool:
    """Whether the session has the privilege; ``schema`` is the physical one ('' for a schema itself)."""
    if session.application and database == session.application:
        return True
    if session.application and database == "SNOWFLAKE":
        return holds_on_account(session, "IMPORTED PRIVILEGES ON SNOWFLAKE DB")
    held = _holders(session)
    in_application = is_application(session, database)
    if not in_application and not session.application:
        owner = _owner(session, kind, database, schema, name)
        if owner is None or {holder("ROLE", owner), _ADMINISTRATOR} & held:
            return True
    if privilege == "ANY":
        granted = any(
            key.schema == schema and key.name.startswith(f"{kind}:{name}:") and set(document["roles"]) & held
            for key, document in session.account.catalogue.find("grant", database)
        )
    else:
        granted = is_granted(session.account, held, privilege, kind, database, schema, name)
    if in_application or not granted or not (schema or kind == "SCHEMA"):
        return granted
    # A grant counts for those only who may use the database and the schema
    # (docs.snowflake.com/en/user-guide/security-access-control-privileges).
    standard = (session.account.database(database) or {}).get("kind") == "STANDARD"  # a package has no USAGE
    above = [("DATABASE", database)] * standard + [("SCHEMA", schema)] * bool(schema)
    return all(may(session, "USAGE", level, database, "", called) for level, called in above)


def require(session: Session, privilege: str, kind: str, database: str, schema: str, name: str) -> None:
    """Refuses what the role may not do: invisible objects do not exist, visible ones say which privilege is missing."""
    if not session.account.database(database) and database != HOME:
        raise missing("Database", database)
    in_application = is_application(session, database) and session.application != database
    below = in_application and kind != "SCHEMA" and bool(schema)
    if below and not may(session, "USAGE", "SCHEMA", database, "", schema):
        raise not_found(session, kind, database, schema, name)
    if may(session, privilege, kind, database, schema, name):
        return
    if may(session, "ANY", kind, database, schema, name):
        raise denied(
            f"Insufficient privileges to operate on {kind.lower()} '{name.split('$')[0]}': {_who(session)} lacks {privilege}."
        )
    raise not_found(session, kind, database, schema, name)


def not_found(session: Session, kind: str, database: str, schema: str, name: str) -> SqlError:
    """What it says of an object that is not there, or not for this session: the same."""
    if database != HOME and not sees(session, database):
        return missing("Database", database)
    if schema and not sees(session, database, schema):
        return missing("Schema", f"{database}.{schema.split('$')[0]}")
    path = (database, schema.split("$")[0], name.split("$")[0] if kind == "SCHEMA" else name)
    shown = ".".join(part for part in path if part)
    return SqlError(
        2003, f"SQL compilation error: {kind.capitalize()} '{shown}' does not exist or not authorized.", "02000"
    )


def require_creation(session: Session, kind: str, database: str, schema: str) -> None:
    """Who creates an object holds CREATE <kind> on its schema; ``schema`` is the physical one."""
    require(session, f"CREATE {kind}", "SCHEMA", database, "", schema)
    require_own_code(session, database)


def require_own_code(session: Session, database: str) -> None:
    """What stands in an application is defined and granted by its own code, and by nobody outside, whatever the role
    (docs.snowflake.com/en/sql-reference/sql/grant-privilege-application-role)."""
    if is_application(session, database) and session.application != database:
        raise denied(f"only the application's own code creates objects in {database}.")


def grant_name(kind: str, name: str, privilege: str) -> str:
    return f"{kind}:{name}:{privilege}"


def is_granted(
    account: Account, held: set[str], privilege: str, kind: str, database: str, schema: str, name: str
) -> bool:
    document = account.catalogue.get("grant", database, schema, grant_name(kind, name, privilege))
    return bool(document and set(document["roles"]) & held)


def _owner(session: Session, kind: str, database: str, schema: str, name: str) -> str | None:
    """The owning role, from the object, its schema or its database; None when nobody is recorded."""
    catalogue = session.account.catalogue
    candidates: list[dict[str, Any] | None] = [
        catalogue.get(kind.lower(), database, schema, name),
        catalogue.get("schema", database, "", schema),
        catalogue.get("database", HOME, "", database),
    ]
    return next((document["owner"] for document in candidates if document and "owner" in document), None)


def holds_on_account(session: Session, privilege: str) -> bool:
    """Whether the session's application or role was granted an account privilege."""
    return owner_holds(session.account, session.application, session.role, privilege)


def owner_holds(account: Account, application: str | None, role: str, privilege: str) -> bool:
    """The same for an application, or else a role; ACCOUNTADMIN has all from the beginning."""
    if application:
        return privilege in (account.database(application) or {}).get("privileges", []) and privilege not in withheld(
            account
        )
    held = inherited(account, holder("ROLE", role), _PUBLIC)
    return _ADMINISTRATOR in held or is_granted(account, held, privilege, "ACCOUNT", HOME, "", "")


def withheld(account: Account) -> list[str]:
    """The account privileges that no application has, whatever it was granted: a switch for tests (`scripts/account withhold`)."""
    return (account.setting("withheld") or {}).get("privileges", [])


def withhold(account: Account, privileges: list[str]) -> list[str]:
    """Sets the switch; raises SqlError for what no manifest can ask for."""
    named = sorted({" ".join(privilege.upper().split()) for privilege in privileges})
    if unknown := [privilege for privilege in named if privilege not in manifests.REQUESTABLE]:
        raise SqlError(
            93_118,
            f"No application can ask for {', '.join(unknown)}: there are {', '.join(sorted(manifests.REQUESTABLE))}.",
        )
    account.set_setting("withheld", {"privileges": named})
    return named


def may_use_warehouse(session: Session, name: str | None) -> bool:
    there = name and session.account.catalogue.get("warehouse", HOME, "", name)
    return bool(there) and may(session, "USAGE", "WAREHOUSE", HOME, "", str(name))


def owner_may_use_warehouse(account: Account, application: str | None, role: str, name: str) -> bool:
    """The same for an application, or else a role, that is not in a session."""
    held = inherited(account, holder("ROLE", role), _PUBLIC) if not application else {holder(APPLICATION, application)}
    document = account.catalogue.get("warehouse", HOME, "", name) or {}
    owners = {_ADMINISTRATOR, holder("ROLE", document.get("owner", ""))}
    return bool(document) and (bool(owners & held) or is_granted(account, held, "USAGE", "WAREHOUSE", HOME, "", name))


def require_on_account(session: Session, privilege: str) -> None:
    if not holds_on_account(session, privilege):
        raise denied(f"{_who(session)} lacks {privilege} on the account.")


def _who(session: Session) -> str:
    return f"the application {session.application}" if session.application else f"the role {session.role}"


def require_installer(session: Session, package: str) -> None:
    """Who installs holds INSTALL or DEVELOP on the package, or is ACCOUNTADMIN
    (docs.snowflake.com/en/sql-reference/sql/create-application, access control)."""
    if "ACCOUNTADMIN" not in roles_of(session) and not any(
        may(session, privilege, "APPLICATION PACKAGE", package, "", package) for privilege in ("INSTALL", "DEVELOP")
    ):
        raise denied(f"the role {session.role} lacks INSTALL on the package {package}.")
