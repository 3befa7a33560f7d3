"""Streams: what they show, when their offset moves, what is never lost."""

import threading
from datetime import timedelta

import pytest
from local_account.errors import SqlError


@pytest.fixture
def stream(client):
    client("create table source (id int, name varchar)")
    client("insert into source values (0, 'before')")
    client("create stream changes on table source append_only = true")
    client("create table target (id int)")
    return client


def ids(client, relation):
    return sorted(row[0] for row in client(f"select id from {relation}"))


def test_a_stream_shows_what_was_inserted_after_it_was_made(stream):
    stream("insert into source values (1, 'a'), (2, 'b')")

    assert ids(stream, "changes") == [1, 2]


def test_a_stream_has_the_columns_of_its_table_and_the_metadata(stream):
    stream("insert into source (id) values (1)")

    assert stream("select id, name, metadata$action, metadata$isupdate from changes") == [(1, None, "INSERT", False)]


@pytest.mark.parametrize(
    "statement",
    [
        "create stream of_rows on table numbered",
        "alter table source add column rowid int",
        "alter table source rename column name to rowid",
        "create or alter table source (id int, name varchar, rowid int)",
    ],
)
def test_no_column_hides_what_tells_rows_apart(stream, statement):
    stream("create table numbered (rowid int)")
    with pytest.raises(SqlError, match="Unsupported feature 'a .* ROWID"):
        stream(statement)


def test_the_table_does_not_show_its_bookkeeping(stream):
    assert stream("select * from source") == [(0, "before")]
    assert [row[0] for row in stream("describe table source")] == ["ID", "NAME"]


def test_a_clone_of_a_table_with_a_stream_has_its_rows_and_no_bookkeeping(stream):
    stream("create table copied clone source")
    stream("create table alike like source")

    assert (stream("select * from copied"), stream("select * from alike")) == ([(0, "before")], [])


def test_reading_does_not_move_the_offset(stream):
    stream("insert into source (id) values (1)")

    stream("select * from changes")

    assert ids(stream, "changes") == [1]


def test_a_dml_that_reads_the_stream_moves_it(stream):
    stream("insert into source (id) values (1)")

    stream("insert into target select id from changes")

    assert ids(stream, "changes") == []
    assert ids(stream, "target") == [1]


def test_a_filter_does_not_keep_the_rest_from_being_consumed(stream):
    stream("insert into source (id) values (1), (2)")

    stream("insert into target select id from changes where id = 1")

    assert ids(stream, "changes") == []


def test_within_a_transaction_every_statement_sees_the_same_stream(stream):
    stream("insert into source (id) values (1)")

    stream("begin")
    stream("insert into target select id from changes")
    stream("insert into target select id + 10 from changes")
    stream("commit")

    assert ids(stream, "target") == [1, 11]
    assert ids(stream, "changes") == []


def test_a_rollback_leaves_the_offset_where_it_was(stream):
    stream("insert into source (id) values (1)")

    stream("begin")
    stream("insert into target select id from changes")
    stream("rollback")

    assert ids(stream, "changes") == [1]
    assert ids(stream, "target") == []


def test_rows_that_arrive_during_a_transaction_wait_for_the_next_one(stream):
    other = stream.another()
    stream("insert into source (id) values (1)")

    stream("begin")
    stream("insert into target select id from changes")
    other("insert into source (id) values (2)")
    stream("commit")

    assert ids(stream, "target") == [1]
    assert ids(stream, "changes") == [2]


def test_rows_of_a_slow_writer_are_not_lost(stream):
    """The writer begins first and commits last: a highest-number offset would skip its rows."""
    slow = stream.another()
    slow("begin")
    slow("insert into source (id) values (1)")
    stream("insert into source (id) values (2)")
    stream("insert into target select id from changes")

    slow("commit")
    stream("insert into target select id from changes")

    assert ids(stream, "target") == [1, 2]


def test_a_transaction_does_not_see_its_own_rows_in_the_stream(stream):
    stream("begin")
    stream("insert into source (id) values (1)")

    assert ids(stream, "changes") == []

    stream("commit")
    assert ids(stream, "changes") == [1]


def test_has_data_tells_whether_rows_wait(stream):
    assert stream.value("select system$stream_has_data('changes')") is False

    stream("insert into source (id) values (1)")

    assert stream.value("select system$stream_has_data('changes')") is True


def test_merge_feeds_the_stream_and_consumes_it(stream):
    stream(
        "merge into source using (select 5 as id) s on source.id = s.id when not matched then insert (id) values (s.id)"
    )
    stream("merge into target using changes s on target.id = s.id when not matched then insert (id) values (s.id)")

    assert ids(stream, "target") == [5]
    assert ids(stream, "changes") == []


def test_two_consumers_need_two_streams(stream):
    stream("create stream others on table source append_only = true")
    stream("insert into source (id) values (1)")

    stream("insert into target select id from changes")

    assert ids(stream, "others") == [1]


@pytest.mark.parametrize("waiter", ["alone", "in a transaction"])
def test_who_consumes_a_stream_has_it_to_himself_until_his_transaction_ends(stream, waiter):
    other = stream.another()
    stream("insert into source values (1, 'a')")
    stream("begin")
    stream("insert into target select id from changes")
    done = []

    def consume():
        if waiter == "in a transaction":
            other("begin")
        other("insert into target select id from changes")
        other("commit")
        done.append(True)

    waiting = threading.Thread(target=consume)
    waiting.start()
    waiting.join(0.5)
    assert not done
    stream("commit")
    waiting.join(10)

    assert done
    assert ids(stream, "target") == [1]


def test_replacing_the_table_makes_its_stream_unreadable(stream):
    stream("create or replace table source (id int)")

    with pytest.raises(SqlError, match="cannot be read"):
        stream("select * from changes")


@pytest.mark.parametrize("removal", ["delete from source", "delete from source where id = 1", "truncate table source"])
def test_rows_deleted_before_they_were_consumed_are_still_shown(stream, removal):
    stream("insert into source values (1, 'a')")
    stream(removal)

    assert [(1, "a", "INSERT")] == stream("select id, name, metadata$action from changes")

    stream("insert into target select id from changes")
    assert [] == ids(stream, "changes")
    assert [1] == ids(stream, "target")


def test_rows_changed_before_they_were_consumed_are_shown_as_they_were_inserted(stream):
    stream("insert into source values (1, 'a'), (2, null), (3, 'c')")
    stream("update source set name = 'x' where id in (1, 2)")
    stream("update source set name = 'y' where id = 1")
    stream("update source set name = name where id = 3")
    stream("merge into source using (select 2 id) s on source.id = s.id when matched then update set name = 'z'")

    assert stream("select id, name from changes order by id") == [(1, "a"), (2, None), (3, "c")]
    assert stream("select id, name from source order by id") == [(0, "before"), (1, "y"), (2, "z"), (3, "c")]
    stream("insert into target select id from changes")
    assert ids(stream, "changes") == []


def test_a_deletion_that_is_rolled_back_doubles_nothing(stream):
    stream("insert into source (id) values (1), (2)")
    stream("begin")
    stream("delete from source where id = 1")
    stream("rollback")
    stream("delete from source where id = 2")

    assert [1, 2] == ids(stream, "changes")


def test_consumed_rows_that_are_deleted_do_not_come_back(stream):
    stream("insert into source (id) values (1)")
    stream("insert into target select id from changes")
    stream("insert into source (id) values (2)")
    stream("delete from source")

    assert [2] == ids(stream, "changes")


def test_a_column_that_is_added_shows_in_the_stream(stream):
    stream("insert into source (id) values (1)")
    stream("alter table source add column extra int")
    stream("insert into source (id, extra) values (2, 5)")
    stream("delete from source where id = 2")

    assert [(1, None), (2, 5)] == stream("select id, extra from changes order by id")


@pytest.fixture
def net(client):
    client("create table source (id int, name varchar)")
    client("insert into source values (1, 'a'), (2, 'b'), (3, 'c')")
    client("create stream changes on table source")
    client("create table target (id int, name varchar, what varchar)")
    return client


CHANGES = "select id, name, metadata$action, metadata$isupdate from changes order by id, metadata$action"


def test_a_standard_stream_shows_net_changes(net):
    net("update source set name = 'B' where id = 2")
    net("delete from source where id = 3")
    net("insert into source values (4, 'd'), (5, 'e')")
    net("delete from source where id = 5")

    assert net(CHANGES) == [(2, "b", "DELETE", True), (2, "B", "INSERT", True), (3, "c", "DELETE", False), (4, "d", "INSERT", False)]  # fmt: skip
    assert len(set(net("select metadata$row_id from changes where id = 2"))) == 1


def test_a_standard_stream_moves_with_the_commit_that_consumed_it(net):
    net("update source set name = 'B' where id = 2")

    net("begin")
    net("insert into target select id, name, metadata$action from changes")
    net("rollback")
    assert len(net(CHANGES)) == 2
    net("insert into target select id, name, metadata$action from changes")

    assert net(CHANGES) == []
    net("update source set name = 'BB' where id = 2")
    assert net(CHANGES) == [(2, "B", "DELETE", True), (2, "BB", "INSERT", True)]


def test_what_was_changed_back_is_no_change(net):
    net("update source set name = 'x'")
    net("update source set name = case id when 1 then 'a' when 2 then 'b' else 'c' end")

    assert net(CHANGES) == []


def test_a_standard_stream_follows_new_columns_and_tells_what_it_is(net):
    net("alter table source add column more int")
    net("update source set more = 1 where id = 1")

    assert net("select id, more, metadata$action from changes order by 3") == [(1, None, "DELETE"), (1, 1, "INSERT")]
    assert net("show streams")[0][11] == "DEFAULT"
    assert net("select * from source where id = 1") == [(1, "a", 1)]


@pytest.mark.parametrize(
    "definition",
    [
        "rename column name to title",
        "add column size int default 5",
        "alter column name set data type varchar(99)",
        "drop column name",
    ],
)
def test_a_column_that_changes_is_no_change_of_rows(client, definition):
    client("create table source (id int, name varchar(5))")
    client("insert into source values (1, 'a')")
    client("create stream changes on table source")

    client(f"alter table source {definition}")

    assert client("select * from changes") == []


def test_a_transaction_reads_no_standard_stream_of_what_it_changed(net):
    net("begin")
    net("insert into source (id) values (7)")
    with pytest.raises(SqlError, match="changes a table and reads its standard stream"):
        net("select * from changes")
    net("commit")


@pytest.mark.parametrize("table", ["nosuch", "seen"])
def test_a_stream_is_made_on_a_table(client, table):
    client("create view seen as select 1 a")

    with pytest.raises(SqlError, match="does not exist"):
        client(f"create stream changes on table {table}")


def test_a_table_with_a_stream_is_not_renamed(stream):
    with pytest.raises(SqlError, match="RENAME of a table with streams"):
        stream("alter table source rename to other")


def test_a_transaction_that_consumes_a_standard_stream_and_changes_its_table_is_refused(net):
    net("insert into source values (4, 'd')")

    with pytest.raises(SqlError, match="changes its table"):
        net("insert into source select id, name from changes")
    assert len(net(CHANGES)) == 1


@pytest.mark.parametrize("option, days", [("", 14), ("max_data_extension_time_in_days = 30", 30)])
def test_a_stream_that_is_not_consumed_in_time_goes_stale(client, option, days):
    client(f"create table source (id int) {option}")
    client("create stream changes on table source append_only = true")
    client("create table target (id int)")
    client("insert into source values (1)")
    scheduler, clock = client.account.scheduler, client.account.clock

    scheduler.set_clock(clock.now() + timedelta(days=days - 1))
    client("insert into target select id from changes")
    client("insert into source values (2)")
    scheduler.set_clock(clock.now() + timedelta(days=days - 1))
    shown = {row[1]: row for row in client("show streams")}["CHANGES"]
    assert shown[10] == "false" and timedelta(hours=20) < shown[12] - clock.now() < timedelta(days=1)

    scheduler.set_clock(clock.now() + timedelta(days=2))
    assert client("describe stream changes")[0][10] == "true"
    for reading in (
        "select * from changes",
        "insert into target select id from changes",
        "select system$stream_has_data('changes')",
    ):
        with pytest.raises(SqlError, match="stale"):
            client(reading)

    client("create or replace stream changes on table source append_only = true")
    client("insert into source values (3)")
    assert client("select id from changes") == [(3,)]


def test_asking_an_empty_stream_keeps_it_fresh(stream):
    scheduler, clock = stream.account.scheduler, stream.account.clock

    for _ in range(3):
        scheduler.set_clock(clock.now() + timedelta(days=10))
        assert stream.value("select system$stream_has_data('changes')") is False
    assert stream("select * from changes") == []


def test_a_table_made_of_a_stream_has_what_an_earlier_transaction_added_and_read(stream):
    stream("begin")
    stream("insert into source (id) values (1)")
    assert ids(stream, "changes") == []
    stream("commit")

    stream("create table kept as select id from changes")

    assert ids(stream, "kept") == [1]


def test_each_transaction_sees_its_own_number(stream):
    def number():
        return stream("select current_transaction()")[0][0]

    numbers = []
    for _ in range(2):
        stream("begin")
        stream("insert into target values (1)")
        numbers.append(number())
        stream("commit")

    assert None not in numbers
    assert len(set(numbers)) == 2
    assert number() is None


@pytest.mark.parametrize(
    "definition",
    ["create view v as select current_transaction() as n", "create table t (n varchar default current_transaction())"],
)
def test_no_definition_keeps_the_number_of_a_transaction(client, definition):
    with pytest.raises(SqlError, match="CURRENT_TRANSACTION"):
        client(definition)


def test_a_table_keeps_the_columns_that_a_stream_adds(stream):
    stream("insert into source (id) values (1)")
    stream("create table kept as select * from changes")

    assert stream("select id, metadata$action, metadata$isupdate from kept") == [(1, "INSERT", False)]
    with pytest.raises(SqlError, match="columns of a stream"):
        stream("create stream again on table kept")


def test_a_stream_and_a_table_have_different_names(stream):
    for statement in ("create table changes (id int)", "create view changes as select 1 as id", "create stream target on table source"):  # fmt: skip
        with pytest.raises(SqlError, match="already exists as"):
            stream(statement)


def test_a_standard_stream_is_made_anew_after_its_table_was_replaced(stream):
    stream("create stream all_changes on table source")
    stream("create or replace table source (id int)")
    stream("create or replace stream all_changes on table source")
    stream("insert into source values (7)")

    assert ids(stream, "all_changes") == [7]


@pytest.mark.parametrize("mode", ["", "append_only = true"])
def test_a_stream_goes_on_through_create_or_alter_and_shows_the_new_columns_as_they_are(client, mode):
    client("create or alter table source (id int)")
    client(f"create stream changes on table source {mode}")
    client("grant select on table source to role public")
    client("create or alter table source (id int, code varchar)")
    client("insert into source values (1, '007')")

    assert client("select id, code from changes") == [(1, "007")]
    assert "PUBLIC" in str(client("show grants on table source"))


def test_a_column_that_is_added_to_a_table_with_a_stream_keeps_its_type_there(stream):
    stream("alter table source add column code varchar")
    stream("insert into source values (1, 'a', '007')")

    assert stream("select id, code from changes") == [(1, "007")]


def test_no_table_takes_the_name_of_a_stream(stream):
    with pytest.raises(SqlError, match="already exists"):
        stream("alter table target rename to changes")


def test_a_stream_whose_table_is_gone_cannot_be_asked_either(stream):
    stream("drop table source")

    for asked in ("select * from changes", "select system$stream_has_data('changes')"):
        with pytest.raises(SqlError, match="its table SOURCE was dropped or replaced"):
            stream(asked)
