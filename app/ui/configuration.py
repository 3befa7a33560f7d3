"""Every reference table as a grid: what a run would say of it beside it, what will change below it, saved all together or not at all."""

import json

import door
import pandas as pd
import parts
import streamlit as st

ROLES = {"app_admin"}

READ = "call core.view_reference_config()"
CHECK = "call core.validate_configuration()"
SAVE = "call core.save_configuration(?, ?, ?)"
RUNS = """
select run_id, run_timestamp, run_type
from audit.generation_runs
where status = 'COMPLETED'
order by run_timestamp desc
limit 200
"""
TABLES = {  # table -> its columns, the key first
    "customer_segments": ["segment_name", "weight", "avg_order_value", "purchase_frequency", "description"],
    "product_categories": ["category_name", "seasonal_peak_months", "margin_rate", "return_rate", "description"],
    "product_category_details": [
        "category_name", "season_kind", "popularity", "typical_price", "price_spread", "subcategories", "description",
    ],
    "marketing_channels": ["channel_name", "cost_per_acquisition", "conversion_rate", "engagement_rate", "description"],
    "marketing_campaigns": ["campaign_name", "channel_name", "weight", "active_months", "description"],
    "warehouses": ["warehouse_id", "location_name", "capacity", "description"],
    "generation_parameters": ["parameter_name", "parameter_value", "parameter_type", "description"],
}  # fmt: skip
NUMBERS = {
    "weight", "avg_order_value", "purchase_frequency", "margin_rate", "return_rate", "popularity", "typical_price", "price_spread",
    "cost_per_acquisition", "conversion_rate", "engagement_rate", "warehouse_id", "capacity",
}  # fmt: skip


def show() -> None:
    if parts.choice("Do", ["Edit", "Return to a run"], "do") == "Edit":
        edit()
    else:
        go_back()


# editing ----------------------------------------------------------------------------------------------------------


def edit() -> None:
    seen = st.session_state.get("seen") or load()
    drafts = st.session_state.drafts
    table = st.selectbox(
        "Table", list(TABLES), key="table", format_func=lambda name: name + (" (edited)" if name in drafts else "")
    )
    if st.session_state.get("grid_of") != table:  # the grid begins from the draft, and must not change under the edits
        st.session_state.grid_of, st.session_state.grid = table, drafts.get(table, frame_of(seen[table], table))
        st.session_state.grid_number = st.session_state.get("grid_number", 0) + 1
    left, right = st.columns([3, 2])
    with left:
        key = f"grid {st.session_state.grid_number}"
        edited = st.data_editor(
            st.session_state.grid,
            key=key,
            hide_index=True,
            num_rows="dynamic",
            width="stretch",
            column_config=looks(table),
        )
        st.caption(
            f"reference_data.{table}: a cell is changed by a double click, a row added below the last one, or marked and deleted"
        )
    keep(table, edited, seen)
    with right:
        st.markdown("**What a run would say**")
        faults = trial(seen) if drafts else door.ask(CHECK)
        tell(faults)
    st.markdown("**What will change**")
    changes = pd.concat(
        [differences(frame_of(seen[name], name), draft, name) for name, draft in drafts.items()] or [pd.DataFrame()]
    )
    if changes.empty:
        st.caption("Nothing yet.")
        return
    parts.table(changes)
    save, discard = st.columns(2)
    if save.button("Save all of it", key="save", type="primary", width="stretch", disabled=not faults.empty):
        with parts.refusals():
            store(seen, len(changes))
    if discard.button("Discard", key="discard", width="stretch"):
        load()
        st.rerun()


def load() -> dict[str, list[dict]]:
    """The tables as they are now: what edits begin from, and are compared with when they are saved."""
    door.forget()
    found: dict[str, list[dict]] = {table: [] for table in TABLES}
    for row in door.ask(READ).itertuples():
        if row.table_name in found:
            found[row.table_name].append(json.loads(row.settings))
    st.session_state.seen, st.session_state.drafts = found, {}
    st.session_state.pop("grid_of", None)
    return found


def frame_of(rows: list[dict], table: str) -> pd.DataFrame:
    frame = pd.DataFrame([{name.lower(): value for name, value in row.items()} for row in rows]).reindex(
        columns=TABLES[table]
    )
    for name in frame.columns:
        frame[name] = pd.to_numeric(frame[name]) if name in NUMBERS else frame[name].astype("string")
    return frame


def looks(table: str) -> dict:
    """The columns as the grid shows them; numbers as they are, not rounded."""
    return {
        name: st.column_config.NumberColumn(name) if name in NUMBERS else st.column_config.TextColumn(name)
        for name in TABLES[table]
    }


def keep(table: str, edited: pd.DataFrame, seen: dict) -> None:
    """An edited table stays edited when another is looked at."""
    before = st.session_state.drafts.pop(table, None)
    if not differences(frame_of(seen[table], table), edited, table).empty:
        st.session_state.drafts[table] = edited
    if (before is None) != (table not in st.session_state.drafts):
        st.rerun()  # its name in the list says whether it is edited


def as_json(drafts: dict[str, pd.DataFrame]) -> str:
    return json.dumps({table: json.loads(draft.to_json(orient="records")) for table, draft in drafts.items()})


def trial(seen: dict) -> pd.DataFrame:
    """What a run would refuse of the drafts."""
    drafts = st.session_state.drafts
    found = door.ask(SAVE, as_json(drafts), json.dumps({table: seen[table] for table in drafts}), True)
    return pd.DataFrame(json.loads(found.iloc[0, 0]))


def tell(faults: pd.DataFrame) -> None:
    if faults.empty:
        st.success("Nothing is wrong with it.", icon=":material/check_circle:")
    for fault in faults.rename(columns={"table_name": "table", "row_name": "row", "column_name": "column"}).to_dict(
        "records"
    )[:20]:
        place = ".".join(str(fault[name]) for name in ("table", "row", "column") if fault[name])
        st.error(f"**{place}**, now “{fault['value']}”: {fault['remedy']}")
    if len(faults) > 20:
        st.caption(f"And {len(faults) - 20} more.")


def store(seen: dict, count: int) -> None:
    drafts = st.session_state.drafts
    answer = door.answer(SAVE, as_json(drafts), json.dumps({table: seen[table] for table in drafts}), False)
    if faults := json.loads(answer):
        raise door.Refused(f"Nothing was saved: {len(faults)} settings cannot be honoured.")
    load()
    parts.done(f"Saved: {count} settings of {', '.join(drafts)}. The next run uses them.")


def differences(old: pd.DataFrame, new: pd.DataFrame, table: str) -> pd.DataFrame:
    """Each cell that differs, as text; rows are told apart by their key, and a cell that is empty is null."""
    before, after = cells(old, table), cells(new, table)
    rows = [
        {
            "table": table,
            "row": row,
            "column": column,
            "old": before.get((row, column)),
            "new": after.get((row, column)),
        }
        for row, column in dict.fromkeys([*before, *after])
        if not same(before.get((row, column)), after.get((row, column)))
    ]
    return pd.DataFrame(rows)


def cells(frame: pd.DataFrame, table: str) -> dict[tuple[str, str], str]:
    key, *others = TABLES[table]
    found = {}
    for number, row in enumerate(frame.to_dict("records"), 1):
        name = (
            f"(row {number})"
            if pd.isna(row[key])
            else f"{row[key]:g}"
            if isinstance(row[key], float)
            else str(row[key])
        )
        name = f"{name} (again)" if (name, others[0]) in found else name
        found |= {(name, other): "" if pd.isna(row[other]) else str(row[other]) for other in others}
    return found


def same(old: str | None, new: str | None) -> bool:
    """Whether two settings are the same value: 0.5 and 0.500000 are, and so are JSON lists that differ in blanks only."""
    if old is None or new is None or old == new:
        return old == new
    try:
        return json.loads(old) == json.loads(new)
    except ValueError:
        return False


# going back -------------------------------------------------------------------------------------------------------


def go_back() -> None:
    runs = door.ask(RUNS)
    if runs.empty:
        parts.nothing_yet("No run has left a snapshot yet")
        return
    names = {
        f"{row.run_timestamp:%Y-%m-%d %H:%M:%S} {row.run_type} {row.run_id}": row.run_id for row in runs.itertuples()
    }
    run = names[st.selectbox("Return to what this run saw", list(names), key="snapshot")]
    now = {
        (table, name, column): value
        for table, rows in load().items()
        for (name, column), value in cells(frame_of(rows, table), table).items()
    }
    then = {
        (row.table_name, row.row_name, row.column_name): row.value or ""
        for row in door.ask("call core.view_run_snapshot(?, ?)", run, "ALL").itertuples()
    }
    kept = {"description", "parameter_type"}  # these stay with the rows that have one
    changes = pd.DataFrame(
        [
            {"table": place[0], "row": place[1], "column": place[2], "old": now.get(place), "new": then.get(place)}
            for place in dict.fromkeys([*now, *then])
            if place[0] in TABLES
            and place[2] not in {*kept, TABLES[place[0]][0]}
            and not same(now.get(place), then.get(place))
        ]
    )
    st.markdown("**What will change**")
    if changes.empty:
        st.success("Nothing: the settings are what this run saw.", icon=":material/check_circle:")
        return
    parts.table(changes)
    parts.act("Return to it", "restore", "call core.restore_configuration(?)", run, type="primary")
