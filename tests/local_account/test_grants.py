"""Roles, application roles, applications and what they are granted: who holds it, and until when."""

import pytest
from local_account import access
from local_account.account import Account
from local_account.errors import SqlError

SETUP = """
    create application role if not exists reader;
    create schema if not exists state;
    grant usage on schema state to application role reader;
    create table if not exists state.notes (id int);
    grant select on table state.notes to application role reader;
    create or alter versioned schema code;
    grant usage on schema code to application role reader;
    create or replace procedure code.asks(q varchar) returns varchar language sql as $$ begin execute immediate :q; return 'done'; end $$;
    grant usage on procedure code.asks(varchar) to application role reader;
"""


class Installed:
    def __init__(self, provider, name, folder):
        self.name, self.provider, self.folder = name, provider, folder
        self.install()

    def install(self):
        self.provider.stage(f"{self.name}_pkg", self.provider.write(self.folder, SETUP))
        self.provider.install(self.name, f"{self.name}_pkg")


@pytest.fixture
def app(provider, tmp_path, request):
    return Installed(provider, f"app_{abs(hash(request.node.nodeid)) % 10**9}", tmp_path / "one")


def with_role(client, role, *grants):
    """A session of a new role, which holds these grants and nothing else."""
    client(f"create or replace role {role}")
    client(f"grant role {role} to user local")
    for grant in grants:
        client(f"grant {grant} to role {role}")
    return type(client)(client.account, role.upper().strip('"'))


def test_a_role_that_is_called_like_another_holder_holds_nothing_of_its(app, provider):
    upper = app.name.upper()
    names = f"{upper}.READER", upper, "@LOCAL", f"SHARE IN APPLICATION PACKAGE {upper}_PKG", f'"{upper}"."READER"'
    weak = with_role(provider, "weak", "create role on account")
    for name in names:
        quoted = '"{}"'.format(name.replace('"', '""'))
        weak(f"create role {quoted}")
        weak(f"grant role {quoted} to role weak")
        with pytest.raises(SqlError, match="does not exist or not authorized"):
            weak(f"select * from {app.name}.state.notes")
        with pytest.raises(SqlError, match="or not authorized"):
            weak(f"call {app.name}.code.asks('select 1 as v')")
        provider(f"drop role {quoted}")


def test_what_is_granted_to_a_role_is_not_the_applications_of_its_name_and_ends_with_the_application(
    app, provider, client
):
    place = client.session.database
    client("create table t as select 7 as v")
    client(f"create or replace role {app.name}")
    ask = f"call {app.name}.code.asks('select v from {place}.public.t')"

    def grant(kind):
        for what in (
            f"usage on database {place}",
            f"usage on schema {place}.public",
            f"select on table {place}.public.t",
        ):
            client(f"grant {what} to {kind} {app.name}")

    grant("role")
    with pytest.raises(SqlError, match="does not exist or not authorized"):
        client(ask)
    grant("application")
    assert client.value(ask) == "done"
    assert {(row[4], row[5]) for row in client("show grants on table t")} == {
        ("ROLE", app.name.upper()),
        ("APPLICATION", app.name.upper()),
    }

    provider(f"drop application {app.name}")
    app.install()
    with pytest.raises(SqlError, match="does not exist or not authorized"):
        client(ask)


def test_an_older_account_is_read_whose_holders_had_no_kind(tmp_path, app, provider):
    account = Account(tmp_path / "old")
    try:
        client = type(provider)(account)
        Installed(client, "app", tmp_path / "two")
        client("create database d")
        client("create table t as select 7 as v")
        clerk = with_role(client, '"THE CLERK"', "usage on database d", "usage on schema d.public")
        client('grant application role app.reader to role "THE CLERK"')
        for what in ("usage on database d", "usage on schema d.public", "select on table d.public.t"):
            client(f"grant {what} to application app")
        before = {
            key: dict(document) for kind, _ in access.LISTS_OF_HOLDERS for key, document in account.catalogue.find(kind)
        }
        for kind, field in access.LISTS_OF_HOLDERS:
            for key, document in account.catalogue.find(kind):
                old = [
                    {"USER": "@"}.get(of, "") + ".".join(names)
                    for of, names in map(access.read_holder, document[field])
                ]
                with account.change(key.database) as change:
                    change.put(kind, key.schema, key.name, {**document, field: old})
        with pytest.raises(SqlError):
            clerk("select * from app.state.notes")
        account.close()

        account = Account(tmp_path / "old")
        assert before == {
            key: document for kind, _ in access.LISTS_OF_HOLDERS for key, document in account.catalogue.find(kind)
        }
    finally:
        account.close()


REPLACED = {
    "table t": "(id int)",
    "stage s": "",
    "task k": "warehouse = local_wh schedule = '1 minute' as select 1",
    "file format f": "type = parquet",
    "stream m on table t": "",
    "procedure p()": "returns int language sql as 'begin return 1; end'",
    "schema h": "",
}
PRIVILEGES = {"table": "select", "stage": "read", "task": "operate", "stream": "select"}


@pytest.mark.parametrize("what", REPLACED)
def test_grants_end_with_what_they_are_on(client, what):
    kind, name = what.split(" on ")[0].rsplit(" ", 1)
    client("create table t (id int)")
    for again in (f"create or replace {what}", f"drop {kind} {name}"):
        if what != "table t":
            client(f"create {what} {REPLACED[what]}")
            client(f"use schema {client.session.database}.public")
        client(f"grant {PRIVILEGES.get(kind, 'usage')} on {kind} {name} to role public")
        assert client(f"show grants on {kind} {name}")
        client(f"{again} {REPLACED[what] if 'create' in again else ''}")
        if "drop" in again:
            client(f"create {what} {REPLACED[what]}")
        client(f"use schema {client.session.database}.public")
        assert client(f"show grants on {kind} {name}") == []
        client(f"drop {kind} {name}")
        if what == "table t":
            client("create table t (id int)")


def test_grants_follow_a_table_to_its_new_name(client):
    client("create table t (id int)")
    client("grant select on table t to role public")
    client("alter table t rename to u")
    client("create table t (secret int)")

    assert client("show grants on table t") == []
    assert [row[1] for row in client("show grants on table u")] == ["SELECT"]


@pytest.mark.parametrize(
    ("statement", "errno"),
    [
        ("grant flying on database {0} to role public", 3008),
        ("grant select on database {0} to role public", 3008),
        ("grant create anything on schema {0}.public to role public", 3008),
        ("grant create table on table t to role public", 3008),
        ("grant flying on warehouse local_wh to role public", 3008),
        ("revoke flying on database {0} from role public", 3008),
        ("revoke ownership on database {0} from role public", 3008),
        ("grant usage on database {0} to application nowhere", 2003),
        ("grant usage on database {0} to share nowhere", 2),
        ("revoke grant option for select on table t from role public", 2),
        ("grant role public to user nobody", 2003),
        ("grant role sysadmin to role sysadmin", 3001),
        ("grant role accountadmin to role sysadmin", 3001),
        ("drop role accountadmin", 3001),
        ("create or replace role public", 3001),
        ("grant ownership on table t to role sysadmin", 2),
        ("grant ownership on schema public to role nobody", 2003),
    ],
)
def test_a_grant_that_means_nothing_is_refused(client, statement, errno):
    client("create table t (id int)")
    with pytest.raises(SqlError) as raised:
        client(statement.format(client.session.database))
    assert raised.value.errno == errno


def test_all_privileges_are_all_that_the_object_has(client):
    place = client.session.database
    worker = with_role(client, "worker", f"all on database {place}", f"all privileges on schema {place}.public")
    worker(f"create schema {place}.more")
    worker(f"create table {place}.public.made (id int)")


def test_ownership_moves_whole_and_grants_do_not_stand_in_its_way_unsaid(client):
    place = client.session.database
    keeper = with_role(client, "keeper", f"usage on database {place}")
    for what in ("schema s", "stage s.files"):
        client(f"create {what}")
    client("grant usage on schema s to role public")
    with pytest.raises(SqlError, match="Dependent grant of privilege 'USAGE'"):
        client("grant ownership on schema s to role keeper")
    client("grant ownership on schema s to role keeper revoke current grants")
    client(f"grant read on stage {place}.s.files to role public")
    client(f"grant ownership on stage {place}.s.files to role keeper copy current grants")

    assert client("show grants on schema s") == []
    assert [row[5] for row in client(f"show grants on stage {place}.s.files")] == ["PUBLIC"]
    keeper(f"create table {place}.s.t (id int)")
    keeper(f"drop stage {place}.s.files")
    keeper(f"drop schema {place}.s")


def test_what_a_dropped_role_owned_is_of_who_dropped_it(client):
    place = client.session.database
    maker = with_role(client, "maker", f"all on database {place}", "execute task on account")
    maker(f"create schema {place}.s")
    maker(f"create task {place}.s.k warehouse = local_wh schedule = '1 minute' as select 1")
    maker(f"alter task {place}.s.k resume")
    client("drop role maker")

    maker = with_role(client, "maker", f"usage on database {place}")
    with pytest.raises(SqlError):
        maker(f"drop schema {place}.s")
    owner, state = [(row[5], row[10]) for row in client(f"show tasks in schema {place}.s")][0]
    assert (owner, state) == ("ACCOUNTADMIN", "suspended")


def test_roles_hold_one_another_in_no_circle(client):
    for role in ("one", "two", "three"):
        client(f"create or replace role {role}")
    client("grant role one to role two")
    client("grant role two to role three")
    with pytest.raises(SqlError, match="to what it holds"):
        client("grant role three to role one")


@pytest.mark.parametrize(
    "what",
    [
        "tables in schema nowhere.public",
        "tables in schema nowhere",
        "tasks in database nowhere",
        "schemas in database nowhere",
        "grants to role nobody",
        "application roles in application nowhere",
    ],
)
def test_to_look_in_what_is_not_there_is_an_error(client, what):
    with pytest.raises(SqlError, match="does not exist"):
        client(f"show {what}")


def hidden(client, app):
    """Statements about a database, an application and a package, each with the name that it is about."""
    place = client.session.database
    for what in (place, app.name, f"{app.name}_pkg"):
        kind = {place: "database", app.name: "application"}.get(what, "application package")
        for statement in (
            "use database {}",
            "use schema {}.public",
            "show tables in database {}",
            "show schemas in database {}",
            f"describe {kind} {{}}",
            f"drop {kind} {{}}",
            "select * from {}.public.t",
            "select * from table({}.public.f(1))",
            "select {}.public.f(1)",
            "call {}.public.p()",
            "list @{}.app_src.stage",
            "describe table {}.state.notes",
            "describe procedure {}.public.p()",
            "drop schema {}.public",
            "drop stage {}.app_src.stage",
            "create stage {}.public.made",
            "create procedure {}.public.made() returns int language sql as 'return 1'",
            "execute task {}.public.k",
            "show columns in table {}.state.notes",
            "show grants on schema {}.state",
            "grant usage on schema {}.state to role public",
            "grant select on table {}.state.notes to role public",
            "select * from {}.information_schema.tables",
            "create table {}.public.made (id int)",
            "create schema {}.made",
            f"grant usage on {'database' if kind == 'application' else kind} {{}} to role public",
            *{
                "application": (
                    "alter application {} upgrade using @x.y.z",
                    "show application roles in application {}",
                    "show privileges in application {}",
                    "grant application role {}.reader to role public",
                ),
                "application package": ("show versions in application package {}", "alter application package {} set comment = 'x'"),
            }.get(kind, ()),
        ):  # fmt: skip
            yield statement, what


def test_what_a_role_holds_nothing_of_is_for_it_as_if_it_were_not_there(client, app):
    client("create table t (id int)")
    blind = with_role(client, "blind")
    for statement, what in hidden(client, app):
        answers = []
        for name in (what, "nowhere_at_all"):
            with pytest.raises(SqlError) as raised:
                blind(statement.format(name))
            answers.append((raised.value.errno, raised.value.message.upper().replace(name.upper(), "THAT")))
        assert answers[0] == answers[1], statement
    shown = [
        {row[1] for row in blind(f"show {what}")} for what in ("databases", "applications", "application packages")
    ]
    assert {name.upper() for name in (client.session.database, app.name, f"{app.name}_pkg")}.isdisjoint(
        set.union(*shown)
    )


def test_a_role_sees_what_it_holds_any_privilege_on(client, app):
    place, package = client.session.database, f"{app.name}_pkg"
    clerk = with_role(client, "clerk", f"monitor on database {place}", f"install on application package {package}")
    client(f"grant application role {app.name}.reader to role clerk")

    assert {row[1] for row in clerk("show databases")} >= {name.upper() for name in (place, app.name, package)}
    assert app.name.upper() in {row[1] for row in clerk("show applications")}
    clerk(f"use database {place}")
    clerk(f"describe application {app.name}")
    clerk(f"describe application package {package}")
    assert [row[1] for row in clerk(f"show schemas in database {app.name}")] == ["CODE", "STATE"]
    assert clerk(f"show schemas in database {place}") == []


def test_a_view_reads_with_the_rights_of_the_role_that_made_it_and_only_as_long_as_that_has_them(client):
    place = client.session.database
    client("create schema data")
    client("create table data.t as select 7 as v")
    client("create schema views")
    maker = with_role(
        client, "maker", f"usage on database {place}", "usage on schema data", "select on table data.t",
        "usage on schema views", "create view on schema views",
    )  # fmt: skip
    reader = with_role(client, "reader", f"usage on database {place}", "usage on schema views")
    maker(f"create view {place}.views.v as select v from {place}.data.t")
    client("create view views.over as select v from views.v")
    for view in ("v", "over"):
        client(f"grant select on view views.{view} to role reader")
        assert reader.value(f"select v from {place}.views.{view}") == 7

    client("revoke select on table data.t from role maker")
    for view in ("v", "over"):
        with pytest.raises(SqlError, match="Failure during expansion of view 'V'") as raised:
            reader(f"select v from {place}.views.{view}")
        assert raised.value.errno == 2037
    client("grant select on table data.t to role maker")
    assert reader.value(f"select v from {place}.views.over") == 7


def test_what_version_2_of_the_manifest_grants_the_consumer_cannot_revoke(provider, tmp_path):
    manifest = "manifest_version: {}\nartifacts:\n  setup_script: setup.sql\nprivileges:\n  - EXECUTE TASK:\n      description: x\n"
    for version, held in ((1, []), (2, ["EXECUTE TASK"])):
        name = f"asks_{version}"
        provider.stage(f"{name}_pkg", provider.write(tmp_path / name, SETUP, manifest.format(version)))
        provider.install(name, f"{name}_pkg")
        assert [row[0] for row in provider(f"show privileges in application {name}") if row[2] == "true"] == held

    with pytest.raises(SqlError, match="came with the installation"):
        provider("revoke execute task on account from application asks_2")
    provider("grant execute task on account to application asks_1")
    provider("revoke execute task on account from application asks_1")


def test_a_warehouse_is_there_for_those_only_who_hold_something_of_it(client):
    client("create or replace warehouse own")
    stranger = with_role(client, "stranger")

    assert [row[0] for row in stranger("show warehouses")] == ["LOCAL_WH"]  # everybody's
    for statement in ("use warehouse {}", "describe warehouse {}", "drop warehouse {}", "grant usage on warehouse {} to role public"):  # fmt: skip
        said = []
        for name in ("own", "absent"):
            with pytest.raises(SqlError) as failed:
                stranger(statement.format(name))
            said.append(failed.value.message.upper().replace(name.upper(), ""))
        assert said[0] == said[1]


def test_a_role_without_the_warehouse_reads_and_writes_no_table_until_it_takes_another(client):
    client("create table t (n int)")
    client("create or replace warehouse own")
    weak = with_role(client, "weak")
    weak("use role accountadmin")
    weak("use warehouse own")
    weak("use role weak")
    weak("use role accountadmin")
    weak(f"use schema {client.session.database}.public")

    assert weak.value("select current_warehouse()") is None
    for statement in ("select * from t", "insert into t values (1)", "create table u as select * from t"):
        with pytest.raises(SqlError) as failed:
            weak(statement)
        assert failed.value.errno == 606
    weak("use warehouse local_wh")
    weak("insert into t values (1)")
    assert weak("select * from t") == [(1,)]


def test_a_task_runs_on_its_warehouse_as_long_as_its_owner_may(client):
    client("create or replace warehouse own")
    place = f"{client.session.database}.public"
    grants = (
        f"usage on database {client.session.database}",
        f"usage, create task on schema {place}",
        "execute task on account",
    )
    maker = with_role(client, "maker", *grants)
    task = f"create task {place}.k warehouse = own schedule = '1 minute' as select 1"

    with pytest.raises(SqlError, match="Warehouse 'own' does not exist or not authorized"):
        maker(task)
    client("grant usage on warehouse own to role maker")
    maker(task)
    maker(f"execute task {place}.k")
    client("revoke usage on warehouse own from role maker")
    with pytest.raises(
        SqlError, match="USAGE privilege on the task's warehouse own must be granted to owner role MAKER"
    ):
        maker(f"execute task {place}.k")


def test_a_switch_withholds_privileges_whatever_was_granted(shared_account, provider, tmp_path):
    manifest = "manifest_version: 2\nartifacts:\n  setup_script: setup.sql\nprivileges:\n  - EXECUTE TASK: {description: x}\n  - EXECUTE MANAGED TASK: {description: x}\n"
    task = "create task state.k schedule = '1 minute' as insert into state.notes values (1);"
    provider.stage("withheld_pkg", provider.write(tmp_path / "one", SETUP + task + "grant operate on task state.k to application role reader;", manifest))  # fmt: skip
    assert access.withhold(shared_account, ["execute  task"]) == ["EXECUTE TASK"]
    try:
        provider.install("withheld", "withheld_pkg")
        assert [row[2] for row in provider("show privileges in application withheld")] == ["true", "false"]
        with pytest.raises(SqlError, match="EXECUTE TASK privilege must be granted to owner application"):
            provider("execute task withheld.state.k")
        with pytest.raises(SqlError, match="No application can ask for CREATE TABLE"):
            access.withhold(shared_account, ["create table"])
    finally:
        assert access.withhold(shared_account, []) == []
    provider("execute task withheld.state.k")
