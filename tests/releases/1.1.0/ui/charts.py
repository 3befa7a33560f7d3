"""Charts: one palette, one frame around each of them, and under each its unit, period, source, SQL and numbers."""

from collections.abc import Callable
from functools import partial, wraps

import altair as alt
import pandas as pd
import streamlit as st

# Okabe and Ito, "Color Universal Design" (2008), without yellow and black, which vanish on white or on dark pages.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
MAIN, MARK, BEFORE = PALETTE[0], PALETTE[4], "#8C8C8C"
# Cividis (Nunez, Anderton and Renslow 2018), even for colour-blind eyes; without its darkest part, which vanishes on dark pages.
DENSE = ["#31446B", "#666970", "#958F78", "#CAB969", "#FFEA46"]
HEIGHT = 280
TIME = partial(alt.X, title=None, axis=alt.Axis(tickCount=8))
PERIODS = ["this period", "the period before"]
KINDS = ["sign-up", "order", "delivery", "return", "impression", "click", "conversion"]


def presented(draw: Callable[..., object]) -> Callable[..., None]:
    """Title above, and below unit, period and source of what is drawn; its SQL and its numbers on request.

    The frame is as the door gave it: `attrs` tells where it comes from.
    """

    @wraps(draw)
    def show(title: str, frame: pd.DataFrame, *fields: str, unit: str, period: str, note: str = "", **looks) -> None:
        st.markdown(f"**{title}**")
        if frame.empty:
            st.info("There is nothing to show here. Fill history on the page Overview, or let the pipeline run on.")
            return
        chart = draw(frame, *fields, unit=unit, **looks)
        if chart:
            st.altair_chart(chart, width="stretch", key=f"chart {title}")
        st.caption(f"{unit[0].upper()}{unit[1:]}{note} · {period} · {frame.attrs['source']}")
        with st.expander("SQL and numbers"):
            st.code(frame.attrs["query"], "sql", wrap_lines=True)
            if frame.attrs["binds"]:
                st.caption(f"Binds, in their order: {frame.attrs['binds']}")
            name = f"{title.lower().replace(' ', '_')}.csv"
            st.download_button(
                "Download as CSV", frame.to_csv(index=False), name, "text/csv", on_click="ignore", key=title
            )

    return show


@presented
def table(frame: pd.DataFrame, *, unit: str, **numbers: tuple[str, str]) -> None:
    """The rows themselves; numbers by column: title and format."""
    looks = {name: st.column_config.NumberColumn(title, format=form) for name, (title, form) in numbers.items()}
    st.dataframe(frame, hide_index=True, width="stretch", column_config=looks)


def number(channel: type, name: str, unit: str) -> object:
    """An axis of numbers, in thousands and millions where they are large."""
    return channel(f"{name}:Q", title=unit, axis=alt.Axis(format="~s"))


def order(channel: type, name: str, values: list, **axis: object) -> object:
    """An axis on which all the values are there, in their order."""
    title = name.replace("_", " ").replace("utc", "UTC").replace("usd", "USD")
    axis = alt.Axis(labelAngle=0, labelFlush=False, **axis)
    return channel(f"{name}:O", title=title, scale=alt.Scale(domain=values), axis=axis)


def tip(name: str, unit: str, form: str = ",.2f") -> alt.Tooltip:
    """A number in full, where the mouse is."""
    return alt.Tooltip(f"{name}:Q", title=unit, format=form)


@presented
def lines(frame: pd.DataFrame, x: str, y: str, *, unit: str) -> alt.TopLevelMixin:
    """A line over time; with a column `period`, one for each, and what was before dashed and grey."""
    chart = alt.Chart(frame, height=HEIGHT).mark_line(color=MAIN, strokeWidth=2, point=len(frame) < 3)
    chart = chart.encode(TIME(f"{x}:T"), number(alt.Y, y, unit), tooltip=[f"{x}:T", tip(y, unit)])
    if "period" not in frame:
        return chart
    colour, dash = alt.Color("period:N", title=None).legend(orient="top"), alt.StrokeDash("period:N")
    return chart.encode(
        colour.scale(domain=PERIODS, range=[MAIN, BEFORE]), dash.scale(domain=PERIODS, range=[[1, 0], [5, 4]])
    )


@presented
def bars(frame: pd.DataFrame, x: str, y: str, *, unit: str) -> alt.TopLevelMixin:
    """A bar per word, the longest above; with a column `before`, what was before as a mark."""
    words = alt.Y(f"{y}:N", title=None, sort=alt.EncodingSortField(x, order="descending"))
    chart = alt.Chart(frame, height=36 * len(frame) + 90)
    chart = chart.encode(words.axis(labelLimit=140, labelOverlap=False), tooltip=[f"{y}:N", tip(x, unit)])
    long = chart.mark_bar(color=MAIN).encode(number(alt.X, x, unit))
    if "before" not in frame:
        return long
    mark = chart.mark_tick(color=MARK, thickness=4, size=18).encode(number(alt.X, "before", unit))
    return long + mark.encode(tooltip=[f"{y}:N", tip("before", PERIODS[1])])


@presented
def heat(
    frame: pd.DataFrame,
    x: str,
    y: str,
    value: str,
    *,
    unit: str,
    columns: list = (),
    rows: list = (),
    form: str = ",.0f",
) -> alt.TopLevelMixin:
    """A value per cell; columns and rows in the order given, or sorted."""
    columns, rows = columns or sorted(frame[x].unique()), rows or sorted(frame[y].unique())
    across, down = order(alt.X, x, columns, labelOverlap=True), order(alt.Y, y, rows, labelOverlap=False)
    colour = alt.Color(f"{value}:Q", title=unit, scale=alt.Scale(range=DENSE))
    colour = colour.legend(orient="top", gradientLength=180, format=form)
    chart = alt.Chart(frame, height=26 * len(rows) + 190).mark_rect()
    return chart.encode(across, down, colour, tooltip=[f"{y}:O", f"{x}:O", tip(value, unit, form)])


@presented
def histogram(frame: pd.DataFrame, x: str, y: str, *, unit: str, classes: list) -> alt.TopLevelMixin:
    """How many there are in each class, named by its lower end."""
    chart = alt.Chart(frame, height=HEIGHT).mark_bar(color=MAIN)
    across, up = order(alt.X, x, classes, labelOverlap=True), number(alt.Y, f"sum({y})", unit)
    return chart.encode(across, up, tooltip=[f"{x}:O", tip(f"sum({y})", unit, ",")])


@presented
def diagonal(frame: pd.DataFrame, x: str, y: str, size: str, *, unit: str) -> alt.TopLevelMixin:
    """Points that lie on the dashed diagonal where both are the same."""
    across, up = (channel(f"{name}:Q", title=name.replace("_", " ")) for channel, name in ((alt.X, x), (alt.Y, y)))
    ends = pd.DataFrame([[0, 0], [frame[[x, y]].max().max()] * 2], columns=[x, y])
    line = alt.Chart(ends, height=HEIGHT).mark_line(color=BEFORE, strokeDash=[5, 4]).encode(across, up)
    points = alt.Chart(frame).mark_circle(color=MAIN, opacity=1).encode(across, up)
    area = alt.Size(f"{size}:Q", legend=None, scale=alt.Scale(range=[60, 400]))
    return line + points.encode(area, tooltip=[tip(x, x, ",.3f"), tip(y, y, ",.3f"), tip(size, size, ",")])


@presented
def story(frame: pd.DataFrame, *, unit: str) -> alt.TopLevelMixin:
    """What happened to one customer, when: a row per kind of event."""
    colour = alt.Color("what:N", legend=None, scale=alt.Scale(domain=KINDS, range=[*PALETTE, BEFORE]))
    chart = alt.Chart(frame, height=240).mark_point(filled=True, size=90, opacity=0.9)
    when, what = TIME("at:T"), alt.Y("what:N", title=None, sort=KINDS)
    return chart.encode(when, what, colour, tooltip=["at:T", "what:N", "detail:N", tip("amount", "USD")])
