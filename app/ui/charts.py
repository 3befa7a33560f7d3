"""Charts: one palette, one frame around each of them, and under each its unit, period, source, SQL and numbers."""

import altair as alt
import pandas as pd
import streamlit as st

# Okabe and Ito, "Color Universal Design" (2008), without yellow and black, which vanish on white or on dark pages.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
MAIN, BEFORE = PALETTE[0], "#8C8C8C"
# Cividis (Nunez, Anderton and Renslow 2018), even for colour-blind eyes; without its darkest part, which vanishes on dark pages.
DENSE = ["#31446B", "#666970", "#958F78", "#CAB969", "#FFEA46"]
HEIGHT = 280
PERIODS = ["this period", "the period before"]


def present(title: str, chart: alt.TopLevelMixin, frame: pd.DataFrame, *, unit: str, period: str) -> None:
    """A chart with its title above, and below what it shows; the frame as the door gave it."""
    st.markdown(f"**{title}**")
    st.altair_chart(chart, width="stretch", key=f"chart {title}")
    explain(title, frame, unit=unit, period=period)


def explain(title: str, frame: pd.DataFrame, *, unit: str, period: str) -> None:
    """Unit, period and source of what stands above; its SQL and its numbers on request."""
    st.caption(f"{unit} · {period} · {frame.attrs['source']}")
    with st.expander("SQL and numbers"):
        st.code(frame.attrs["query"], language="sql")
        if frame.attrs["binds"]:
            st.caption(f"Binds, in their order: {frame.attrs['binds']}")
        name = f"{title.lower().replace(' ', '_')}.csv"
        st.download_button("Download as CSV", frame.to_csv(index=False), name, "text/csv", on_click="ignore", key=title)


def lines(frame: pd.DataFrame, x: str, y: str, *, unit: str) -> alt.TopLevelMixin:
    """A line over time; with a column `period`, one for each, and what was before dashed and grey."""
    base = alt.Chart(frame).encode(
        x=alt.X(f"{x}:T", title=None),
        y=alt.Y(f"{y}:Q", title=unit, axis=alt.Axis(format="~s")),
        tooltip=[alt.Tooltip(f"{x}:T", title="day"), alt.Tooltip(f"{y}:Q", title=unit, format=",.2f")],
    )
    if "period" in frame:
        base = base.encode(
            color=alt.Color("period:N", title=None, scale=alt.Scale(domain=PERIODS, range=[MAIN, BEFORE])).legend(orient="top"),
            strokeDash=alt.StrokeDash("period:N", scale=alt.Scale(domain=PERIODS, range=[[1, 0], [5, 4]])),
        )  # fmt: skip
    mark = {"strokeWidth": 2, "point": len(frame) < 3} | ({} if "period" in frame else {"color": MAIN})
    return base.mark_line(**mark).properties(height=HEIGHT)


def bars(frame: pd.DataFrame, x: str, y: str, *, unit: str) -> alt.TopLevelMixin:
    """A bar per word, the longest above; with a column `before`, what was before as a mark."""
    place = alt.Y(
        f"{y}:N",
        title=None,
        sort=alt.EncodingSortField(x, order="descending"),
        axis=alt.Axis(labelLimit=140, labelOverlap=False),
    )
    length = alt.X(f"{x}:Q", title=unit, axis=alt.Axis(format="~s"))
    tips = [alt.Tooltip(f"{y}:N"), alt.Tooltip(f"{x}:Q", title=unit, format=",.2f")]
    if "before" in frame:
        tips.append(alt.Tooltip("before:Q", title="the period before", format=",.2f"))
    base = alt.Chart(frame).encode(y=place, tooltip=tips)
    chart = base.mark_bar(color=MAIN).encode(x=length)
    if "before" in frame:
        chart += base.mark_tick(color=PALETTE[4], thickness=4, size=18).encode(x=alt.X("before:Q", title=unit))
    return chart.properties(height=36 * len(frame) + 90)


def heat(
    frame: pd.DataFrame, x: str, y: str, value: str, *, unit: str, columns: list, rows: list, form: str = ",.0f"
) -> alt.TopLevelMixin:
    """A value per cell; all columns and rows are there, in the order given."""
    tall = {"labelOverlap": False, "labelFlush": False}
    legend = alt.Legend(orient="top", gradientLength=180, format=form)
    return (
        alt.Chart(frame)
        .mark_rect()
        .encode(
            x=alt.X(
                f"{x}:O",
                title=x.replace("_", " "),
                scale=alt.Scale(domain=columns),
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y(f"{y}:O", title=y.replace("_", " "), scale=alt.Scale(domain=rows), axis=alt.Axis(**tall)),
            color=alt.Color(f"{value}:Q", title=unit, scale=alt.Scale(range=DENSE), legend=legend),
            tooltip=[alt.Tooltip(f"{y}:O"), alt.Tooltip(f"{x}:O"), alt.Tooltip(f"{value}:Q", title=unit, format=form)],
        )
        .properties(height=26 * len(rows) + 190)
    )


def histogram(frame: pd.DataFrame, x: str, y: str, *, classes: list, title: str, unit: str) -> alt.TopLevelMixin:
    """Counts by class; the frame holds the classes' lower ends, and `classes` all there are."""
    return (
        alt.Chart(frame)
        .mark_bar(color=MAIN)
        .encode(
            x=alt.X(
                f"{x}:O", title=title, scale=alt.Scale(domain=classes), axis=alt.Axis(labelAngle=0, labelOverlap=True)
            ),
            y=alt.Y(f"{y}:Q", title=unit, axis=alt.Axis(format="~s")),
            tooltip=[alt.Tooltip(f"{x}:O", title=title), alt.Tooltip(f"{y}:Q", title=unit, format=",")],
        )
        .properties(height=HEIGHT)
    )


def on_diagonal(frame: pd.DataFrame, x: str, y: str, *, size: str, x_title: str, y_title: str) -> alt.TopLevelMixin:
    """Points that lie on the grey diagonal where what was expected is what happens."""
    most = float(max(frame[x].max(), frame[y].max()))
    diagonal = alt.Chart(pd.DataFrame({x: [0, most], y: [0, most]})).mark_line(color=BEFORE, strokeDash=[5, 4])
    points = alt.Chart(frame).mark_circle(color=MAIN, opacity=1)
    place = {"x": alt.X(f"{x}:Q", title=x_title), "y": alt.Y(f"{y}:Q", title=y_title)}
    tips = [alt.Tooltip(f"{name}:Q", format=",.3f") for name in (x, y)] + [alt.Tooltip(f"{size}:Q", format=",")]
    return (
        diagonal.encode(**place)
        + points.encode(
            **place, size=alt.Size(f"{size}:Q", legend=None, scale=alt.Scale(range=[60, 400])), tooltip=tips
        )
    ).properties(height=HEIGHT)


def story(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """What happened to one customer, when: a row per kind of event."""
    kinds = ["sign-up", "order", "delivery", "return", "impression", "click", "conversion"]
    return (
        alt.Chart(frame)
        .mark_point(filled=True, size=90, opacity=0.9)
        .encode(
            x=alt.X("at:T", title=None),
            y=alt.Y("what:N", title=None, sort=kinds),
            color=alt.Color("what:N", legend=None, scale=alt.Scale(domain=kinds, range=[*PALETTE, BEFORE])),
            tooltip=["at:T", "what:N", "detail:N", alt.Tooltip("amount:Q", title="USD", format=",.2f")],
        )
        .properties(height=240)
    )
