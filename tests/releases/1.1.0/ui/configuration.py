"""Every reference table as a grid: what a run would say of it beside it, what will change below it, saved all together or not at all."""

import json

import door
import pandas as pd
import parts
import streamlit as st

ROLES = {"app_admin"}

READ = "call core.view_reference_config()"
SAVE = "call core.save_configuration(?, ?, ?)"
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


def edit() -> None:
    state = st.session_state
    table = st.selectbox("Table", list(TABLES), key="table")
    # A grid begins from the draft of its table, and must not change under the edits. It is new where another table, or page, was shown.
    if state.get("grid_of") != table or f"grid {state.grid_number}" not in state:
        if "drafts" not in state or edits().empty:
            load()
        state.grid_of, state.grid_number, state.grid = table, state.get("grid_number", 0) + 1, state.drafts[table]
    left, right = st.columns([3, 2])
    with left:
        plain = dict.fromkeys(state.grid.select_dtypes("number"), st.column_config.NumberColumn(format="plain"))
        looks = {"hide_index": True, "num_rows": "dynamic", "width": "stretch", "column_config": plain}
        state.drafts[table] = st.data_editor(state.grid, key=f"grid {state.grid_number}", **looks)
        st.caption(f"reference_data.{table}: click a cell and type; the last row adds one; marked rows can be deleted")
    changes = edits()
    with right:
        st.markdown("**What a run would say**")
        faults = json.loads(door.ask(SAVE, *to_save(changes), True).iloc[0, 0])
        tell(faults)
    st.markdown("**What will change**")
    if changes.empty:
        st.caption("Nothing yet.")
        return
    parts.table(changes)
    save, discard = st.columns(2)
    if save.button("Save all of it", key="save", type="primary", width="stretch", disabled=bool(faults)):
        with parts.refusals():
            store(changes)
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
    seen = read()
    st.session_state.update(seen=seen, drafts=grids(seen), grid_of=None)


def grids(tables: dict[str, list[dict]]) -> dict[str, pd.DataFrame]:
    """The rows of each table with its columns in order: numbers, or text."""
    found = {}
    for table, rows in tables.items():
        frame = pd.DataFrame(rows).rename(columns=str.lower).reindex(columns=TABLES[table])
        numbers = frame.select_dtypes("number").columns
        found[table] = frame.astype({name: float if name in numbers else "string" for name in frame})
    return found


def edits() -> pd.DataFrame:
    """What the drafts of all tables change."""
    return changed(cells(grids(st.session_state.seen)), cells(st.session_state.drafts))


def to_save(changes: pd.DataFrame) -> tuple[str, str]:
    """The drafts of the tables that change, and the rows that they started from, as JSON text."""
    state, tables = st.session_state, changes["table"].unique()
    edited = {table: json.loads(state.drafts[table].to_json(orient="records", double_precision=15)) for table in tables}
    return json.dumps(edited), json.dumps({table: state.seen[table] for table in tables})


def tell(faults: list[dict]) -> None:
    if not faults:
        st.success("Nothing is wrong with it.", icon=":material/check_circle:")
    for fault in faults[:20]:
        place = ".".join(fault[name] for name in ("table", "row", "column") if fault[name])
        st.error(f"**{place}**, now “{fault['value']}”: {fault['remedy']}")
    if len(faults) > 20:
        st.caption(f"And {len(faults) - 20} more.")


def store(changes: pd.DataFrame) -> None:
    if faults := json.loads(door.answer(SAVE, *to_save(changes), False)):
        raise door.Refused(f"Nothing was saved: {len(faults)} settings cannot be honoured.")
    load()
    parts.done(f"Saved: {len(changes)} settings of {', '.join(changes['table'].unique())}. The next run uses them.")


def cells(frames: dict[str, pd.DataFrame]) -> dict[tuple, str]:
    """What stands in each cell but those of the key, as text, by table, row and column; a row is known by its key."""
    found: dict[tuple, str] = {}
    for table, frame in frames.items():
        key, *others = TABLES[table]
        for number, row in enumerate(frame.to_dict("records"), 1):
            name = text(row[key]) or f"(row {number})"
            name = f"{name} (again)" if (table, name, others[0]) in found else name
            found |= {(table, name, other): text(row[other]) for other in others}
    return found


def changed(old: dict[tuple, str], new: dict[tuple, str]) -> pd.DataFrame:
    """Each cell that differs, as text."""
    places = [place for place in dict.fromkeys([*old, *new]) if not same(old.get(place), new.get(place))]
    rows = [(*place, old.get(place), new.get(place)) for place in places]
    return pd.DataFrame(rows, columns=["table", "row", "column", "old", "new"])


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


def go_back() -> None:
    runs = door.ask(parts.RUNS)
    if runs.empty:
        parts.nothing_yet("No run has left a snapshot yet")
        return
    run = parts.run("Return to what this run saw", runs, "snapshot")
    snapshot = door.ask("call core.view_run_snapshot(?, ?)", run, "ALL").itertuples(index=False, name=None)
    then = {tuple(place): value or "" for *place, value in snapshot}
    changes = changed(settable(cells(grids(read()))), settable(then))
    st.markdown("**What will change**")
    if changes.empty:
        st.success("Nothing: the settings are what this run saw.", icon=":material/check_circle:")
        return
    parts.table(changes)
    parts.act("Return to it", "restore", "call core.restore_configuration(?)", run, type="primary")


def settable(found: dict[tuple, str]) -> dict[tuple, str]:
    """Without descriptions and types, which stay with the rows that have one."""
    stay = {"description", "parameter_type"}
    return {place: value for place, value in found.items() if place[2] in set(TABLES.get(place[0], [""])[1:]) - stay}
