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


def show() -> None:
    if parts.choice("Do", ["Edit", "Return to a run"], "do") == "Edit":
        edit()
    else:
        go_back()


# editing ----------------------------------------------------------------------------------------------------------


def edit() -> None:
    state = st.session_state
    table = st.selectbox("Table", list(TABLES), key="table")
    # A grid begins from the draft of its table, and must not change under the edits. It is new where another table, or page, was shown.
    if state.get("grid_of") != table or f"grid {state.grid_number}" not in state:
        if not state.get("drafts"):
            load()
        state.grid_of, state.grid_number = table, state.get("grid_number", 0) + 1
        state.grid = state.drafts.get(table, frame_of(state.seen[table], table))
    left, right = st.columns([3, 2])
    with left:
        looks = {name: st.column_config.NumberColumn(format="plain") for name in state.grid.select_dtypes("number")}
        key = f"grid {state.grid_number}"
        edited = st.data_editor(
            state.grid, key=key, hide_index=True, num_rows="dynamic", width="stretch", column_config=looks
        )
        st.caption(f"reference_data.{table}: click a cell and type; the last row adds one; marked rows can be deleted")
    state.drafts.pop(table, None)
    if not differences(frame_of(state.seen[table], table), edited, table).empty:
        state.drafts[table] = edited
    with right:
        st.markdown("**What a run would say**")
        faults = (
            pd.DataFrame(json.loads(door.ask(SAVE, *edits(), True).iloc[0, 0])) if state.drafts else door.ask(CHECK)
        )
        tell(faults)
    st.markdown("**What will change**")
    if not state.drafts:
        st.caption("Nothing yet.")
        return
    changes = pd.concat(
        [differences(frame_of(state.seen[name], name), draft, name) for name, draft in state.drafts.items()]
    )
    parts.table(changes)
    save, discard = st.columns(2)
    if save.button("Save all of it", key="save", type="primary", width="stretch", disabled=not faults.empty):
        with parts.refusals():
            store(len(changes))
    if discard.button("Discard", key="discard", width="stretch"):
        load()
        st.rerun()


def read() -> dict[str, list[dict]]:
    """The rows of each table as they are now, by OBJECT_CONSTRUCT(*)."""
    found: dict[str, list[dict]] = {table: [] for table in TABLES}
    for row in door.ask(READ).itertuples():
        if row.table_name in found:
            found[row.table_name].append(json.loads(row.settings))
    return found


def load() -> None:
    """Begins anew: what edits start from, and are compared with when they are saved, is what is there now."""
    door.forget()
    st.session_state.update(seen=read(), drafts={}, grid_of=None)


def frame_of(rows: list[dict], table: str) -> pd.DataFrame:
    frame = pd.DataFrame([{name.lower(): value for name, value in row.items()} for row in rows]).reindex(
        columns=TABLES[table]
    )
    numbers = frame.select_dtypes("number").columns
    return frame.astype(dict.fromkeys(numbers, float) | dict.fromkeys(frame.columns.difference(numbers), "string"))


def edits() -> tuple[str, str]:
    """The drafts, and the rows that they started from, as JSON text."""
    drafts = st.session_state.drafts
    edited = {
        table: json.loads(draft.to_json(orient="records", double_precision=15)) for table, draft in drafts.items()
    }
    return json.dumps(edited), json.dumps({table: st.session_state.seen[table] for table in drafts})


def tell(faults: pd.DataFrame) -> None:
    if faults.empty:
        st.success("Nothing is wrong with it.", icon=":material/check_circle:")
    for fault in faults.rename(columns=lambda name: name.removesuffix("_name")).to_dict("records")[:20]:
        place = ".".join(str(fault[name]) for name in ("table", "row", "column") if fault[name])
        st.error(f"**{place}**, now “{fault['value']}”: {fault['remedy']}")
    if len(faults) > 20:
        st.caption(f"And {len(faults) - 20} more.")


def store(count: int) -> None:
    if faults := json.loads(door.answer(SAVE, *edits(), False)):
        raise door.Refused(f"Nothing was saved: {len(faults)} settings cannot be honoured.")
    tables = ", ".join(st.session_state.drafts)
    load()
    parts.done(f"Saved: {count} settings of {tables}. The next run uses them.")


def differences(old: pd.DataFrame, new: pd.DataFrame, table: str) -> pd.DataFrame:
    """Each cell that differs, as text; rows are told apart by their key."""
    return changed(cells(old, table), cells(new, table))


def changed(old: dict[tuple, str], new: dict[tuple, str]) -> pd.DataFrame:
    places = [place for place in dict.fromkeys([*old, *new]) if not same(old.get(place), new.get(place))]
    return pd.DataFrame(
        [(*place, old.get(place), new.get(place)) for place in places], columns=["table", "row", "column", "old", "new"]
    )


def cells(frame: pd.DataFrame, table: str) -> dict[tuple, str]:
    """What stands in each cell but those of the key, as text, by table, row and column."""
    key, *others = TABLES[table]
    found = {}
    for number, row in enumerate(frame.to_dict("records"), 1):
        name = text(row[key]) or f"(row {number})"
        name = f"{name} (again)" if (table, name, others[0]) in found else name
        found |= {(table, name, other): text(row[other]) for other in others}
    return found


def text(value: object) -> str:
    if pd.isna(value):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


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
        place: value for table, rows in read().items() for place, value in cells(frame_of(rows, table), table).items()
    }
    snapshot = door.ask("call core.view_run_snapshot(?, ?)", run, "ALL")
    then = {
        place: value or "" for *place, value in snapshot.itertuples(index=False, name=None) for place in [tuple(place)]
    }
    settable = {
        place
        for place in {**now, **then}
        if place[0] in TABLES and place[2] in set(TABLES[place[0]][1:]) - {"description", "parameter_type"}
    }  # descriptions stay with the rows that have one
    changes = changed({k: v for k, v in now.items() if k in settable}, {k: v for k, v in then.items() if k in settable})
    st.markdown("**What will change**")
    if changes.empty:
        st.success("Nothing: the settings are what this run saw.", icon=":material/check_circle:")
        return
    parts.table(changes)
    parts.act("Return to it", "restore", "call core.restore_configuration(?)", run, type="primary")
