"""Charts: one palette, one frame around each of them, and under each its unit, period, source, SQL and numbers."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

# Okabe and Ito, "Color Universal Design" (2008), without yellow and black, which vanish on white or on dark pages.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
MAIN, BEFORE = PALETTE[0], "#8C8C8C"
DENSE = "cividis"  # even for colour-blind eyes and on both backgrounds
HEIGHT = 280


def present(
    title: str,
    chart: alt.TopLevelMixin,
    *,
    unit: str,
    period: str,
    source: str,
    query: str,
    binds: Sequence,
    frame: pd.DataFrame,
) -> None:
    """A chart with its title above, and what it shows below."""
    st.markdown(f"**{title}**")
    st.altair_chart(chart, width="stretch", key=f"chart {title}")
    explain(title, unit=unit, period=period, source=source, query=query, binds=binds, frame=frame)


def explain(
    title: str, *, unit: str, period: str, source: str, query: str, binds: Sequence, frame: pd.DataFrame
) -> None:
    """Unit, period and source of what stands above; its SQL and its numbers on request."""
    st.caption(f"{unit} · {period} · {source}")
    with st.expander("SQL and numbers"):
        st.code(query.strip(), language="sql")
        if binds:
            st.caption("Binds, in their order: " + ", ".join(str(bind) for bind in binds))
        download(title, frame)


def download(title: str, frame: pd.DataFrame) -> None:
    name = title.lower().replace(" ", "_").replace(",", "")
    st.download_button(
        "Download as CSV",
        frame.to_csv(index=False),
        f"{name}.csv",
        "text/csv",
        key=f"download {title}",
        on_click="ignore",
    )


def lines(frame: pd.DataFrame, x: str, y: str, *, unit: str, before: str | None = None) -> alt.TopLevelMixin:
    """A line over days; what was before, dashed and grey."""
    kinds = frame[["period"]].drop_duplicates()["period"].tolist() if before else []
    colour = alt.Color("period:N", title=None, scale=alt.Scale(domain=kinds, range=[MAIN, BEFORE][: len(kinds)]))
    base = alt.Chart(frame).encode(
        x=alt.X(f"{x}:T", title=None),
        y=alt.Y(f"{y}:Q", title=unit, axis=alt.Axis(format="~s")),
        tooltip=[alt.Tooltip(f"{x}:T", title="day"), alt.Tooltip(f"{y}:Q", title=unit, format=",.2f")],
    )
    if before:
        base = base.encode(
            color=colour.legend(orient="top"),
            strokeDash=alt.StrokeDash("period:N", legend=None, scale=alt.Scale(domain=kinds, range=[[1, 0], [5, 4]])),
        )
        return base.mark_line(strokeWidth=2).properties(height=HEIGHT)
    return base.mark_line(strokeWidth=2, color=MAIN, point=len(frame) < 3).properties(height=HEIGHT)


def bars(frame: pd.DataFrame, x: str, y: str, *, unit: str, before: str | None = None) -> alt.TopLevelMixin:
    """A bar per word, the longest above; what was before as a tick."""
    tips = [alt.Tooltip(f"{y}:N", title=None), alt.Tooltip(f"{x}:Q", title=unit, format=",.2f")]
    place = alt.Y(
        f"{y}:N", title=None, sort=alt.EncodingSortField(x, order="descending"), axis=alt.Axis(labelLimit=140)
    )
    chart = (
        alt.Chart(frame)
        .mark_bar(color=MAIN)
        .encode(x=alt.X(f"{x}:Q", title=unit, axis=alt.Axis(format="~s")), y=place, tooltip=tips)
    )
    if before:
        tick = alt.Chart(frame).mark_tick(color=PALETTE[1], thickness=3, size=18)
        chart += tick.encode(
            x=alt.X(f"{before}:Q", title=unit),
            y=place,
            tooltip=[tips[0], alt.Tooltip(f"{before}:Q", title="the period before", format=",.2f")],
        )
    return chart.properties(height=max(90, 30 * len(frame) + 40))


def heat(
    frame: pd.DataFrame, x: str, y: str, value: str, *, unit: str, columns: list, rows: list, form: str = ",.0f"
) -> alt.TopLevelMixin:
    """A value per cell; columns and rows in the order given."""
    return (
        alt.Chart(frame)
        .mark_rect()
        .encode(
            x=alt.X(f"{x}:O", title=x.replace("_", " "), sort=columns, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y(f"{y}:O", title=None, sort=rows),
            color=alt.Color(
                f"{value}:Q",
                title=unit,
                scale=alt.Scale(scheme=DENSE),
                legend=alt.Legend(orient="top", gradientLength=180),
            ),
            tooltip=[alt.Tooltip(f"{y}:O"), alt.Tooltip(f"{x}:O"), alt.Tooltip(f"{value}:Q", title=unit, format=form)],
        )
        .properties(height=max(120, 26 * len(rows) + 60))
    )


def histogram(frame: pd.DataFrame, x: str, y: str, *, title: str, unit: str) -> alt.TopLevelMixin:
    """Counts by class; the frame holds the classes' lower ends."""
    return (
        alt.Chart(frame)
        .mark_bar(color=MAIN)
        .encode(
            x=alt.X(f"{x}:O", title=title, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
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
