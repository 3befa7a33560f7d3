"""Every page and every button, driven by Streamlit's own AppTest against the installed app."""

import json
import sys
from decimal import Decimal

import pandas as pd
import pytest
from snowflake.snowpark.context import get_active_session


def texts(test) -> str:
    """All that a page says."""
    kinds = (test.info, test.success, test.warning, test.error, test.markdown, test.caption, test.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(test, label: str):
    return next(element for element in test.button if element.label == label)


# the first day ----------------------------------------------------------------------------------------------------


@pytest.fixture
def empty(shop):
    shop.empty()


@pytest.mark.parametrize("page", ["Sales", "Customers"])
def test_an_empty_page_invites_to_the_first_step(empty, dashboard, page):
    assert "The page Overview generates a first batch" in texts(dashboard(page=page))


def test_the_first_batch_is_a_click_away_and_says_what_it_made(empty, dashboard, shop):
    test = dashboard()
    assert "Nothing has been generated yet" in texts(test)

    test.number_input(key="purchase_events").set_value(40)
    button(test, "Generate the first batch").click().run()

    assert "made 10 sign-ups, 40 orders" in test.success[0].value or "40 orders" in test.success[0].value
    assert shop.value("select count(*) from gold.fct_sales") == 40
    assert {"The pipeline", "A batch", "The past", "Lately"} <= {element.value for element in test.subheader}


# the levers -------------------------------------------------------------------------------------------------------


@pytest.fixture
def stocked(shop):
    shop.stock()


def test_start_stop_and_schedule_reach_the_pipeline(stocked, dashboard, shop):
    wish = "select wanted, schedule_minutes, schedule_cron from pipeline.wishes"
    test = dashboard()
    test.button(key="start").click().run()
    assert shop.rows(wish) == [("STARTED", 30, None)]
    assert test.metric[0].value == "running"

    next(field for field in test.number_input if field.label == "Minutes between two runs").set_value(15)
    button(test, "Save the schedule").click().run()
    assert shop.rows(wish) == [("STARTED", 15, None)]

    next(field for field in test.text_input if field.label == "or a cron expression").set_value("0 25 * * *")
    button(test, "Save the schedule").click().run()
    assert "a cron expression has five fields" in test.error[0].value
    assert shop.rows(wish) == [("STARTED", 15, None)]

    test.run()
    test.button(key="stop").click().run()
    assert shop.rows(wish) == [("STOPPED", 15, None)]
    assert test.metric[0].value == "stopped"
    shop.cursor.execute("call configure_pipeline(30)")


def test_a_missing_privilege_is_named_with_whom_to_turn_to(stocked, dashboard, shop):
    if not shop.account.is_local:
        pytest.skip("what came with the installation cannot be revoked: the local account has a switch for it")
    shop.account.manage("withhold", "execute task")
    try:
        test = dashboard()
        test.button(key="start").click().run()
        assert "EXECUTE TASK" in test.error[0].value

        test.run()
        assert "Whoever administers the account" in texts(test)
        assert "grant execute task on account" in test.code[0].value
        assert test.metric[0].value == "stopped"
    finally:
        shop.account.manage("withhold")
    test.button(key="start").click().run()
    assert test.metric[0].value == "running"
    assert "Nothing is wrong" in texts(test)
    test.button(key="stop").click().run()


def test_a_batch_can_be_left_to_the_natural_course(stocked, dashboard, shop):
    test = dashboard()
    test.toggle(key="natural").set_value(True).run()
    button(test, "Generate now").click().run()

    (asked,) = shop.rows(
        "select requested_counts from audit.generation_runs where run_type = 'GENERATION' order by run_timestamp desc limit 1"
    )
    assert json.loads(asked[0]) == {}
    assert test.success


def test_history_is_filled_chunk_by_chunk(stocked, dashboard, shop):
    test = dashboard()
    today = pd.Timestamp(shop.value("select sysdate()")).normalize()
    start, end = (today - pd.Timedelta(days=days) for days in (120, 110))
    test.date_input(key="range").set_value((start.date(), end.date()))
    test.checkbox(key="natural_past").set_value(False)
    test.number_input(key="per_day").set_value(3)
    button(test, "Fill history").click().run()

    assert "History is filled: 2 of 2 chunks" in test.success[0].value
    orders = "select count(*) from gold.fct_sales where ordered_at >= %s and ordered_at < %s"
    assert shop.value(orders, start.to_pydatetime(), end.to_pydatetime()) == 30

    test.date_input(key="range").set_value((start.date(), end.date()))
    button(test, "Fill history").click().run()
    assert "something is generated already" in test.error[0].value


def test_a_fill_that_was_stopped_is_shown_and_goes_on(stocked, dashboard, shop):
    today = pd.Timestamp(shop.value("select sysdate()")).normalize()
    range_ = [(today - pd.Timedelta(days=days)).to_pydatetime() for days in (200, 180)]
    app = get_active_session()
    fill = app.sql("call core.plan_history(?, ?, ?)", params=[*range_, 2]).collect()[0][0]
    app.sql("call core.generate_chunk(?)", params=[fill]).collect()
    shop.cursor.execute("call stop_historical_data()")
    test = dashboard()
    assert "1 of 3 chunks" in [element.proto.text for element in test.get("progress")]

    test.button(key="continue_filling").click().run()
    assert "History is filled: 3 of 3 chunks" in test.success[0].value
    assert shop.value("select count(*) from gold.fct_sales where ordered_at >= %s and ordered_at < %s", *range_) == 40


def test_a_listed_gap_is_filled_with_two_clicks(empty, dashboard, shop):
    shop.stock()
    runs = "select window_start from audit.generation_runs where run_type = 'GENERATION' order by run_timestamp desc"
    begin = shop.rows(runs)[0][0]
    earlier = [begin - pd.Timedelta(hours=hours) for hours in (18, 6)]
    shop.cursor.execute("call generate_historical_data(%s, %s, 4)", earlier)
    test = dashboard()
    assert test.selectbox(key="gap").options == ["A time of my own", f"Gap of 6 h from {earlier[1]:%Y-%m-%d %H:%M}"]

    test.selectbox(key="gap").select_index(1).run()
    button(test, "Fill history").click().run()
    assert "History is filled: 1 of 1 chunks" in test.success[0].value
    assert not shop.rows("select * from audit.generation_gaps")
    assert test.selectbox(key="gap").options == ["A time of my own"]


def test_look_again_asks_anew(stocked, dashboard, shop):
    test = dashboard()
    shop.cursor.execute("call start_pipeline()")
    test.run()
    assert test.metric[0].value == "stopped"  # remembered

    test.button(key="refresh").click().run()
    assert test.metric[0].value == "running"
    shop.cursor.execute("call stop_pipeline()")


# looking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", ["7 days", "30 days", "90 days", "365 days"])
def test_sales_of_a_period(stocked, dashboard, go, period):
    go(dashboard(page="Sales"), period=period)


@pytest.mark.parametrize("measure", ["Revenue", "Orders", "Basket", "Margin", "Returns"])
def test_each_measure_is_shown_by_day_and_by_part(stocked, dashboard, go, measure):
    test = go(dashboard(page="Sales"), measure=measure)
    for part in ("Segment", "Category", "Channel", "Region"):
        go(test, by=part)
        assert f"**{measure} by {part.lower()}**" in texts(test)
    assert f"**{measure} by day**" in texts(test)


def test_the_headline_is_what_gold_holds(stocked, dashboard, go, shop):
    test = go(dashboard(page="Sales"), period="365 days")
    revenue, orders = shop.rows(
        "select sum(net_revenue), sum(orders) from gold.daily_revenue where revenue_date > dateadd('day', -365, sysdate())"
    )[0]

    shown = test.metric[0].value
    # Half a dollar may be shown as either: the page adds up days as floats.
    assert shown in {f"{round(revenue + cents):,}" for cents in (-Decimal("0.001"), Decimal("0.001"))}
    assert test.metric[1].value == f"{orders:,.0f}"


def test_each_chart_says_its_unit_period_source_and_sql(stocked, dashboard, go):
    test = go(dashboard(page="Sales"), season="Year")

    assert any(caption.value.count(" · ") == 2 and "gold.daily_revenue" in caption.value for caption in test.caption)
    assert any("from gold.daily_revenue" in code.value for code in test.code)
    assert any("from gold.daily_marketing" in code.value for code in test.code)


@pytest.mark.parametrize("part", ["Segments", "Retention", "RFM", "Churn and value", "One customer"])
def test_customers_from_each_side(stocked, dashboard, go, part):
    go(dashboard(page="Customers"), see=part)


def test_a_customer_is_found_by_name_number_and_mail(stocked, dashboard, go, shop):
    customer, name, email = shop.rows(
        "select customer_id, last_name, email from gold.customer_profiles order by customer_id limit 1"
    )[0]
    test = go(dashboard(page="Customers"), see="One customer")
    for sought in (str(customer), name, email):
        test.text_input(key="sought").set_value(sought).run()
        assert any(f"({customer}, " in option for option in test.selectbox(key="customer").options), sought
    test.text_input(key="sought").set_value("nobody at all").run()
    assert "Nobody is called like" in texts(test)


def test_the_record_of_runs_is_filtered(stocked, dashboard, go):
    test = go(dashboard(page="Runs"), record="Record", since="7 days")
    test.multiselect(key="kinds").set_value(["GOLD"]).run()

    assert set(test.dataframe[0].value["run_type"]) == {"GOLD"}


def test_two_runs_are_compared_and_a_snapshot_is_shown(stocked, dashboard, go, shop):
    shop.cursor.execute(
        "update reference_data.customer_segments set avg_order_value = 151 where segment_name = 'premium'"
    )
    shop.cursor.execute("call generate_retail_data(1, 1, 0, 0)")
    test = go(dashboard(page="Runs"), record="Compare")
    changes = test.dataframe[1].value
    assert changes[["column_name", "new_value"]].values.tolist() == [["avg_order_value", "151"]]

    go(test, record="Snapshot")
    test.selectbox(key="run_table").set_value("customer_segments").run()
    assert "151" in test.dataframe[0].value["value"].tolist()
    shop.cursor.execute(
        "update reference_data.customer_segments set avg_order_value = 150 where segment_name = 'premium'"
    )


def test_a_run_is_replayed_and_the_verdict_shown(stocked, dashboard, go):
    test = go(dashboard(page="Runs"), record="Replay")
    test.button(key="replay").click().run()

    assert test.dataframe[0].value["is_equal"].all()
    assert test.success[0].value


def test_held_events_are_shown_with_their_reasons_and_released_corrected_or_all(held, dashboard, go, shop, opened):
    bad, early = held
    touches = "select event_id from gold.fct_marketing_touches where event_id >= %s order by event_id"
    test = go(dashboard(page="Runs"), record="Quarantine")
    reasons, events = (table.value for table in test.dataframe)
    assert reasons["events"].sum() == 2
    assert any("cost" in reason for reason in reasons["reason"])
    assert any("from the future" in reason for reason in reasons["reason"])
    assert set(events["event_id"]) == {bad, early}

    test.button(key="release").click().run()
    assert "0 fit now, 2 stay" in test.success[0].value

    test.selectbox(key="event").set_value(bad).run()
    arrived = test.text_area(key=f"data {bad}").value
    test.text_area(key=f"data {bad}").set_value("no JSON")
    test.button(key="correct").click().run()
    assert "JSON" in test.error[0].value
    test.text_area(key=f"data {bad}").set_value(arrived.replace('"much"', "0.5"))
    test.button(key="correct").click().run()
    assert "1 fit now" in test.success[0].value
    assert shop.rows(touches, bad) == [(bad,)]

    opened[1].sql(
        "update bronze.quarantined_events set event_time = sysdate() where event_id = ?", params=[early]
    ).collect()
    test.button(key="release").click().run()
    assert "1 fit now" in test.success[0].value
    assert shop.rows(touches, bad) == [(bad,), (early,)]
    assert "No event is held in quarantine" in texts(test)


# changing ---------------------------------------------------------------------------------------------------------


def edited(test, table: str, change) -> None:
    """Puts a draft where edits of the grid would put it: AppTest cannot type into a grid, the browser's test does."""
    test.selectbox(key="table").set_value(table).run()
    test.session_state.drafts[table] = change(test.session_state.grid.copy())
    test.session_state.grid_of = None
    test.run()
    assert not test.exception


def test_each_reference_table_is_a_grid(stocked, dashboard, shop):
    test = dashboard(page="Configuration")
    tables = set(test.selectbox(key="table").options)
    shown = {row[1].lower() for row in shop.rows("show tables in schema reference_data")}
    assert tables | {"data_generation_audit"} == shown
    for table in tables:
        test.selectbox(key="table").set_value(table).run()
        names = [row[0].lower() for row in shop.rows(f"describe table reference_data.{table}")]
        assert list(test.session_state.grid.columns) == names
        assert len(test.session_state.grid) == shop.value(f"select count(*) from reference_data.{table}")


def test_rows_can_be_added_and_taken_away(stocked, dashboard, shop):
    campaigns = "select count(*) from reference_data.marketing_campaigns where campaign_name = 'flyers'"
    test = dashboard(page="Configuration")
    row = {
        "campaign_name": "flyers",
        "channel_name": "email",
        "weight": 1.0,
        "active_months": "[5]",
        "description": "By hand",
    }
    edited(test, "marketing_campaigns", lambda grid: pd.concat([grid, pd.DataFrame([row])], ignore_index=True))
    test.button(key="save").click().run()
    assert "Saved: 4 settings" in test.success[0].value
    assert shop.value(campaigns) == 1

    edited(test, "marketing_campaigns", lambda grid: grid[grid["campaign_name"] != "flyers"])
    test.button(key="save").click().run()
    assert shop.value(campaigns) == 0


def weight_of_premium(shop) -> float:
    return float(shop.value("select weight from reference_data.customer_segments where segment_name = 'premium'"))


def test_an_edit_is_shown_before_it_is_saved_and_saved_whole(stocked, dashboard, shop):
    test = dashboard(page="Configuration")
    edited(test, "customer_segments", lambda grid: grid.replace({"weight": {0.15: 0.2}}))
    edited(test, "warehouses", lambda grid: grid.replace({"capacity": {260: 261}}))

    assert test.dataframe[-1].value.values.tolist() == [
        ["customer_segments", "premium", "weight", "0.15", "0.2"],
        ["warehouses", "1", "capacity", "260", "261"],
    ]
    assert weight_of_premium(shop) == 0.15
    test.button(key="save").click().run()
    assert "Saved: 2 settings" in test.success[0].value
    assert weight_of_premium(shop) == 0.2
    assert shop.value("select capacity from reference_data.warehouses where warehouse_id = 1") == 261

    shop.cursor.execute("update reference_data.customer_segments set weight = 0.15 where segment_name = 'premium'")
    shop.cursor.execute("update reference_data.warehouses set capacity = 260 where warehouse_id = 1")


def test_what_a_run_would_refuse_is_said_and_cannot_be_saved(stocked, dashboard, shop):
    test = dashboard(page="Configuration")
    edited(test, "customer_segments", lambda grid: grid.replace({"weight": {0.15: -1}}))

    assert any("customer_segments.premium.weight" in error.value for error in test.error)
    assert test.button(key="save").disabled
    test.button(key="discard").click().run()
    assert "Nothing yet." in texts(test)
    assert weight_of_premium(shop) == 0.15


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(stocked, dashboard, shop):
    test = dashboard(page="Configuration")
    edited(test, "warehouses", lambda grid: grid.replace({"capacity": {260: 270}}))
    shop.cursor.execute("update reference_data.warehouses set capacity = 281 where warehouse_id = 2")
    test.button(key="save").click().run()

    assert "was changed meanwhile" in test.error[0].value
    assert shop.rows(
        "select capacity from reference_data.warehouses where warehouse_id in (1, 2) order by warehouse_id"
    ) == [(260,), (281,)]
    shop.cursor.execute("update reference_data.warehouses set capacity = 280 where warehouse_id = 2")


def test_settings_return_to_what_a_run_saw(stocked, dashboard, go, shop):
    shop.cursor.execute("call generate_retail_data(1, 1, 0, 0)")
    shop.cursor.execute(
        "update reference_data.product_categories set margin_rate = 0.33 where category_name = 'clothing'"
    )
    test = go(dashboard(page="Configuration"), do="Return to a run")
    assert test.dataframe[0].value[["row", "column", "new"]].values.tolist() == [["clothing", "margin_rate", "0.55"]]

    test.button(key="restore").click().run()
    assert "Put back: product_categories" in test.success[0].value
    assert (
        float(shop.value("select margin_rate from reference_data.product_categories where category_name = 'clothing'"))
        == 0.55
    )


# roles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "opens", "shut", "role"),
    [
        ("analyst_dashboard", {"Sales", "Customers", "Runs"}, {"Overview", "Configuration"}, "APP_ADMIN"),
        ("auditor_dashboard", {"Runs"}, {"Overview", "Sales", "Customers", "Configuration"}, "APP_A"),
        ("truth_dashboard", {"Customers"}, {"Overview", "Sales", "Configuration", "Runs"}, "APP_A"),
    ],
)
def test_a_page_that_the_role_lacks_says_which_and_to_whom_to_turn(stocked, dashboard, name, opens, shut, role):
    for page in opens | shut:
        test = dashboard(name, page)
        assert ("The page" in texts(test) and "needs the application role" in texts(test)) == (page in shut)
        if page in shut:
            assert role in texts(test)
            assert "grant application role" in test.code[0].value


def test_the_truth_is_for_its_role_alone(stocked, dashboard, go):
    test = go(dashboard(page="Customers"), see="Calibration")
    assert "needs the application role APP_TRUTH" in texts(test)

    test = dashboard("truth_dashboard", "Customers")
    assert "Churn probability against the truth" in texts(test)
    assert "Lifetime value against the truth" in texts(test)


def test_the_door_stays_shut_to_a_role_whatever_a_page_asks(stocked, dashboard):
    door = sys.modules["door"]
    for name, statement in {
        "analyst_dashboard": "select * from audit.generation_runs limit 1",
        "auditor_dashboard": "select * from gold.fct_sales limit 1",
        "dashboard": "select * from truth.customers limit 1",
        "truth_dashboard": "call core.start_pipeline()",
    }.items():
        roles = dashboard(name).session_state.roles
        with pytest.raises(door.Refused, match="needs the application role"):
            door.require_roles(statement, roles)


def test_a_role_without_the_grant_is_not_let_in_by_the_account(shop):
    shop.cursor.execute("create role if not exists stranger")
    shop.cursor.execute('grant role stranger to user "LOCAL"')

    assert not shop.open("dashboard", "stranger")["success"]
    shop.cursor.execute(f"grant application role {shop.account.application}.app_analyst to role stranger")
    assert shop.open("analyst_dashboard", "stranger")["success"]
    assert not shop.open("dashboard", "stranger")["success"]
