"""Feature policies: what a consumer forbids applications to create (user-guide/feature-policies).

The one way to withhold what a manifest of version 2 is granted with the installation. An application's own policy stands before that of the account; a
policy stops what is created from then on, and touches nothing that is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_account import access, reply
from local_account.catalogue import HOME
from local_account.errors import SqlError, denied, unsupported
from local_account.syntax import parse_options, split_path

if TYPE_CHECKING:
    from local_account.engine import Result
    from local_account.session import Session
    from local_account.syntax import Match

DONE = "Statement executed successfully."
BLOCKABLE = {"TASKS", "DATABASES", "WAREHOUSES", "COMPUTE_POOLS"}  # of them, applications can create tasks here
_SETTING = "feature_policy"


def create(session: Session, match: Match) -> Result:
    database, schema, name = session.account.qualify(session, match.path(), "feature policy")
    access.require(session, "CREATE FEATURE POLICY", "SCHEMA", database, "", schema)
    options = parse_options(match.raw("rest"), ("BLOCKED_OBJECT_TYPES_FOR_CREATION", "COMMENT"))
    written = re.findall(r"\w+", options.get("BLOCKED_OBJECT_TYPES_FOR_CREATION", "").upper())
    blocked = sorted({word if word.endswith("S") else f"{word}S" for word in written})
    if unknown := set(blocked) - BLOCKABLE:
        raise unsupported(f"a policy that blocks {', '.join(unknown)}")
    if session.account.catalogue.get("feature_policy", database, schema, name) and not match.has("or replace"):
        if match.has("if not exists"):
            return reply.status(f"{name} already exists, statement succeeded.")
        raise reply.exists(name)
    require_unset(session, database, schema, name)
    with session.account.change(database, session) as change:
        change.put("feature_policy", schema, name, {"owner": session.role, "blocked": blocked})
    return reply.status(f"Feature policy {name} successfully created.")


def drop(session: Session, match: Match) -> Result:
    database, schema, name = _found(session, match.path())
    require_unset(session, database, schema, name)
    with session.account.change(database, session) as change:
        change.delete("feature_policy", schema, name)
    return reply.status(f"{name} successfully dropped.")


def require_unset(session: Session, *place: str) -> None:
    """Nobody drops or replaces a policy that is set, nor the schema or database that it stands in."""
    databases = session.account.catalogue.find("database", HOME)
    policies = {key.name: document.get(_SETTING) for key, document in databases}
    policies["the account"] = (session.account.setting(_SETTING) or {}).get("policy")
    if holders := [holder for holder, policy in policies.items() if policy and policy[: len(place)] == list(place)]:
        what = "Feature policy " if len(place) == 3 else "The feature policy in "
        raise SqlError(3001, f"{what}{'.'.join(place)} cannot be dropped: it is set on {', '.join(holders)}.")


def set_on_account(session: Session, match: Match) -> Result:
    _require_administrator(session)
    session.account.set_setting(_SETTING, {"policy": _found(session, match.path())})
    return reply.status(DONE)


def unset_on_account(session: Session, match: Match) -> Result:
    _require_administrator(session)
    session.account.set_setting(_SETTING, {})
    return reply.status(DONE)


def set_on_application(session: Session, match: Match) -> Result:
    return _bind(session, match.name(), _found(session, match.path("policy")))


def unset_on_application(session: Session, match: Match) -> Result:
    return _bind(session, match.name(), None)


def _bind(session: Session, application: str, policy: list[str] | None) -> Result:
    from local_account.applications import application as found

    _require_administrator(session)
    document = found(session, application)
    with session.account.change(HOME, session) as change:
        change.put("database", "", application, {**document, _SETTING: policy})
    return reply.status(DONE)


def with_policy(session: Session, written: str | None) -> dict[str, Any]:
    """What CREATE APPLICATION .. WITH FEATURE POLICY writes down of it."""
    return {_SETTING: _found(session, split_path(written))} if written else {}


def require_allowed(session: Session, kind: str) -> None:
    """Refuses what the application's policy, or else the account's, forbids to create; `kind` as in a policy, 'TASKS'."""
    document = session.account.database(session.application) if session.application else None
    if not document:
        return
    policy = document.get(_SETTING) or (session.account.setting(_SETTING) or {}).get("policy")
    found = session.account.catalogue.get("feature_policy", *policy) if policy else None
    if found and kind in found["blocked"]:
        raise denied(
            f"the feature policy {'.'.join(policy or ())} of this account forbids applications to create {kind}."
        )


def _found(session: Session, path: list[str]) -> list[str]:
    name = session.account.qualify(session, path, "feature policy")
    if not session.account.catalogue.get("feature_policy", *name):
        raise access.not_found(session, "FEATURE POLICY", *name)
    return list(name)


def _require_administrator(session: Session) -> None:
    if session.application or "ACCOUNTADMIN" not in access.roles_of(session):
        raise denied("APPLY FEATURE POLICY on the account is ACCOUNTADMIN's here.")
