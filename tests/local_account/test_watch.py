"""A session that is watched can be stopped before any statement, and rows are as if the statements after it had never been asked for."""

import threading

import pytest
from local_account.errors import SqlError
from local_account.watch import ConnectionLost, Watch

PROCEDURE = """
create procedure add_two() returns varchar language sql as
$$
begin
    begin transaction;
    insert into t (id) values (1);
    insert into t (id) values (2);
    commit;
    return 'done';
exception
    when other then
        rollback;
        insert into t (id) values (-1);
        raise;
end
$$
"""


@pytest.fixture
def watched(client):
    client("create table t (id int)")
    client(PROCEDURE)
    return client


def rows(client) -> list:
    return client.another()("select id from t order by 1")


def test_a_watch_tells_what_was_executed_and_how_deep(watched):
    watched.session.watch = watch = Watch()
    watched("call add_two()")

    assert [(entry["depth"], entry["text"].split("(")[0].strip()) for entry in watch.seen] == [
        (0, "call add_two"),
        (1, "begin transaction"),
        (1, "insert into t"),
        (1, "insert into t"),
        (1, "commit"),
    ]
    assert all(entry["seconds"] >= 0 for entry in watch.seen)


@pytest.mark.parametrize(("stop_at", "left"), [(1, []), (2, [(-1,)]), (3, [(-1,)]), (5, [(-1,)]), (6, [(1,), (2,)])])
def test_an_error_at_a_boundary_is_an_error_for_the_handler(watched, stop_at, left):
    watched.session.watch = Watch(stop_at, "error")
    if stop_at < 6:
        with pytest.raises(SqlError, match="a watch stopped the session at its boundary"):
            watched("call add_two()")
    else:
        watched("call add_two()")

    assert rows(watched) == left


@pytest.mark.parametrize("stop_at", [1, 2, 3, 4, 5])
def test_a_lost_session_runs_no_handler_and_leaves_nothing(watched, stop_at):
    watched.session.watch = Watch(stop_at, "lose")
    with pytest.raises(ConnectionLost):
        watched("call add_two()")
    with pytest.raises(ConnectionLost):
        watched("select 1")
    watched.session.close()

    assert rows(watched) == []


def test_a_session_that_is_made_to_wait_goes_on_when_it_may(watched):
    watched.session.watch = watch = Watch(5, "wait")
    running = threading.Thread(target=watched, args=("call add_two()",))
    running.start()
    running.join(0.2)

    assert running.is_alive()
    assert rows(watched) == []

    watch.go_on.set()
    running.join(60)
    assert rows(watched) == [(1,), (2,)]
