"""What is sold: by day, segment, category, channel and region, against the period before; the seasons; what campaigns cost."""

from datetime import datetime, timedelta

import charts
import door
import pandas as pd
import parts
import streamlit as st

ROLES = {"app_analyst"}

MEASURES = {"Revenue": "USD", "Orders": "orders", "Basket": "USD per order", "Margin": "USD", "Returns": "USD"}
PERIODS = {"7 days": 7, "30 days": 30, "90 days": 90, "365 days": 365}
DAYS = """
with

sales as (
    select
        ordered_at >= ? as is_now,
        order_date as day,
        count(*) as orders,
        sum(final_total) as revenue,
        sum(margin) as margin
    from gold.fct_sales
    where ordered_at >= ? and ordered_at < ?
    group by is_now, day
),

returns as (
    select
        returned_at >= ? as is_now,
        return_date as day,
        sum(refund_total) as returns
    from gold.fct_returns
    where returned_at >= ? and returned_at < ?
    group by is_now, day
)

select
    coalesce(sales.is_now, returns.is_now) as is_now,
    coalesce(sales.day, returns.day) as day,
    coalesce(sales.orders, 0) as orders,
    coalesce(sales.revenue, 0) as revenue,
    coalesce(sales.margin, 0) as margin,
    coalesce(returns.returns, 0) as returns
from sales
full outer join returns
    on sales.day = returns.day and sales.is_now = returns.is_now
order by day
"""
PARTS = """
with

sales as (
    select
        {part} as part,
        ordered_at >= ? as is_now,
        count(*) as orders,
        sum(final_total) as revenue,
        sum(margin) as margin
    from gold.fct_sales
    where ordered_at >= ? and ordered_at < ?
    group by part, is_now
),

returns as (
    select
        {part} as part,
        returned_at >= ? as is_now,
        sum(refund_total) as returns
    from gold.fct_returns
    inner join gold.fct_sales
        on fct_returns.order_id = fct_sales.order_id
    where returned_at >= ? and returned_at < ?
    group by part, is_now
)

select
    coalesce(sales.part, returns.part, 'none') as part,
    coalesce(sales.is_now, returns.is_now) as is_now,
    coalesce(sales.orders, 0) as orders,
    coalesce(sales.revenue, 0) as revenue,
    coalesce(sales.margin, 0) as margin,
    coalesce(returns.returns, 0) as returns
from sales
full outer join returns
    on sales.part = returns.part and sales.is_now = returns.is_now
order by revenue desc
"""
CATEGORIES = """
with

sales as (
    select
        coalesce(category_name, 'none') as part,
        ordered_at >= ? as is_now,
        count(distinct order_id) as orders,
        sum(line_total) as revenue,
        sum(margin) as margin
    from gold.fct_sale_lines
    where ordered_at >= ? and ordered_at < ?
    group by part, is_now
),

returns as (
    select
        coalesce(category_name, 'none') as part,
        returned_at >= ? as is_now,
        sum(refund_total) as returns
    from gold.fct_returns
    where returned_at >= ? and returned_at < ?
    group by part, is_now
)

select
    coalesce(sales.part, returns.part) as part,
    coalesce(sales.is_now, returns.is_now) as is_now,
    coalesce(sales.orders, 0) as orders,
    coalesce(sales.revenue, 0) as revenue,
    coalesce(sales.margin, 0) as margin,
    coalesce(returns.returns, 0) as returns
from sales
full outer join returns
    on sales.part = returns.part and sales.is_now = returns.is_now
order by revenue desc
"""
# The regions of the US census; what is picked up in a store is shipped nowhere.
REGION = """case
            when ship_state in ('CT', 'ME', 'MA', 'NH', 'RI', 'VT', 'NJ', 'NY', 'PA') then 'Northeast'
            when ship_state in ('IL', 'IN', 'MI', 'OH', 'WI', 'IA', 'KS', 'MN', 'MO', 'NE', 'ND', 'SD') then 'Midwest'
            when ship_state in ('AZ', 'CO', 'ID', 'MT', 'NV', 'NM', 'UT', 'WY', 'AK', 'CA', 'HI', 'OR', 'WA') then 'West'
            when ship_state is not null then 'South'
            else 'picked up'
        end"""
BY = {
    "Segment": (PARTS.format(part="coalesce(customer_segment, 'none')"), "gold.fct_sales, gold.fct_returns"),
    "Category": (CATEGORIES, "gold.fct_sale_lines, gold.fct_returns; revenue without tax and shipping"),
    "Channel": (PARTS.format(part="coalesce(sales_channel, 'none')"), "gold.fct_sales, gold.fct_returns"),
    "Region": (PARTS.format(part=REGION), "gold.fct_sales, gold.fct_returns"),
}
HOURS = """
select
    dayofweekiso(ordered_at) as weekday,
    hour(ordered_at) as hour_utc,
    count(*) as orders,
    sum(final_total) as revenue
from gold.fct_sales
where ordered_at >= ? and ordered_at < ?
group by weekday, hour_utc
order by weekday, hour_utc
"""
MONTHS = """
select
    month(order_date) as month,
    coalesce(category_name, 'none') as category,
    count(distinct order_date) as days,
    sum(line_total) / count(distinct order_date) as revenue
from gold.fct_sale_lines
group by month, category
order by category, month
"""
CAMPAIGNS = """
select
    channel_name,
    coalesce(campaign_name, 'none') as campaign_name,
    count(*) as touches,
    count_if(touch_type = 'conversion') as sign_ups,
    sum(cost) as spend,
    sum(cost) / nullif(count_if(touch_type = 'conversion'), 0) as cost_per_sign_up
from gold.fct_marketing_touches
where occurred_at >= ? and occurred_at < ?
group by channel_name, campaign_name
order by spend desc
"""
NEWEST = "select min(ordered_at) as first_at, max(ordered_at) as last_at from gold.fct_sales"
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def show() -> None:
    bounds = door.ask(NEWEST).iloc[0]
    if pd.isna(bounds["last_at"]):
        st.info(
            "**Nothing has been sold yet.** The page Overview generates a first batch; it needs APP_ADMIN.",
            icon=":material/rocket_launch:",
        )
        return
    days = PERIODS[parts.choice("Period", list(PERIODS), "period", "30 days")]
    now = door.now()
    # Whole days and what has passed of today; the period before is as long to the minute.
    start, end = (now.floor("D") - timedelta(days=days - 1)).to_pydatetime(), now.to_pydatetime()
    before = start - timedelta(days=days)
    has_before = bounds["first_at"] < start
    daily = door.ask(DAYS, *twice(start, before, end))
    daily = (
        daily[(daily["is_now"]) | (pd.to_datetime(daily["day"]) <= pd.Timestamp(end - timedelta(days=days)))]
        if len(daily)
        else daily
    )
    if daily.empty or not daily["is_now"].any():
        st.info(
            f"Nothing was sold in the last {days} days; the newest order is from {bounds['last_at']:%Y-%m-%d}. Choose a longer period, or generate a batch."
        )
        return
    headline(daily, has_before)
    period = f"{start:%Y-%m-%d} to {end:%Y-%m-%d %H:%M} UTC"
    measure = parts.choice("Measure", list(MEASURES), "measure")
    by_day(daily, measure, days, period, twice(start, before, end), has_before)
    left, right = st.columns(2)
    with left:
        by_part(measure, period, twice(start, before, end), has_before)
    with right:
        seasons(period, (start, end))
    campaigns(period, (start, end))


def twice(start: datetime, before: datetime, end: datetime) -> tuple:
    """The binds of a query over sales and returns."""
    return (start, before, end) * 2


def with_basket(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(basket=frame["revenue"] / frame["orders"].where(frame["orders"] > 0))


def headline(daily: pd.DataFrame, has_before: bool) -> None:
    totals = with_basket(daily.groupby("is_now")[["orders", "revenue", "margin", "returns"]].sum())
    for cell, measure in zip(st.columns(5), MEASURES, strict=True):
        value = totals.loc[True, measure.lower()]
        delta = None
        if has_before and False in totals.index and totals.loc[False, measure.lower()] > 0:
            delta = f"{value / totals.loc[False, measure.lower()] - 1:+.1%}"
        form = ",.2f" if measure == "Basket" else ",.0f"
        cell.metric(
            measure if measure == "Orders" else f"{measure}, USD", f"{value:{form}}", delta,
            delta_color="inverse" if measure == "Returns" else "normal", help="Against the period before, of the same length",
        )  # fmt: skip


def by_day(daily: pd.DataFrame, measure: str, days: int, period: str, binds: tuple, has_before: bool) -> None:
    frame = with_basket(daily)[["day", "is_now", measure.lower()]].copy()
    frame["day"] = pd.to_datetime(frame["day"])
    frame["period"] = frame["is_now"].map({True: "this period", False: "the period before"})
    frame.loc[~frame["is_now"], "day"] += pd.Timedelta(days=days)
    if not has_before:
        frame = frame[frame["is_now"]]
    charts.present(
        f"{measure} by day",
        charts.lines(frame, "day", measure.lower(), unit=MEASURES[measure], before="period" if has_before else None),
        unit=f"{MEASURES[measure]} per day; returns by the day they came back", period=period + (", dashed: the period before" if has_before else ""),
        source="gold.fct_sales, gold.fct_returns", query=DAYS, binds=binds, frame=daily,
    )  # fmt: skip


def by_part(measure: str, period: str, binds: tuple, has_before: bool) -> None:
    part = parts.choice("By", list(BY), "by")
    query, source = BY[part]
    found = with_basket(door.ask(query, *binds))
    name = measure.lower()
    wide = found.pivot_table(index="part", columns="is_now", values=name, aggfunc="sum").reset_index()
    wide = wide.rename(columns={True: name, False: "before", "part": part.lower()})
    wide = wide.reindex(columns=[part.lower(), name, "before"])
    is_compared = has_before and wide["before"].notna().any()
    charts.present(
        f"{measure} by {part.lower()}",
        charts.bars(wide, name, part.lower(), unit=MEASURES[measure], before="before" if is_compared else None),
        unit=MEASURES[measure], period=period + (", mark: the period before" if is_compared else ""),
        source=source, query=query, binds=binds, frame=found,
    )  # fmt: skip


def seasons(period: str, binds: tuple) -> None:
    if parts.choice("Season", ["Week", "Year"], "season") == "Week":
        frame = door.ask(HOURS, *binds)
        frame["weekday"] = frame["weekday"].map(lambda day: WEEKDAYS[int(day) - 1])
        chart = charts.heat(
            frame, "hour_utc", "weekday", "orders", unit="orders", columns=list(range(24)), rows=WEEKDAYS
        )
        charts.present(
            "Orders by weekday and hour", chart, unit="Orders", period=period, source="gold.fct_sales", query=HOURS, binds=binds, frame=frame,
        )  # fmt: skip
        return
    frame = door.ask(MONTHS)
    frame["month"] = frame["month"].map(lambda month: MONTH_NAMES[int(month) - 1])
    chart = charts.heat(
        frame,
        "month",
        "category",
        "revenue",
        unit="USD per day",
        columns=MONTH_NAMES,
        rows=sorted(frame["category"].unique()),
    )
    charts.present(
        "Revenue by month and category", chart, unit="USD per day with sales, without tax and shipping", period="all that is in gold",
        source="gold.fct_sale_lines", query=MONTHS, binds=(), frame=frame,
    )  # fmt: skip


def campaigns(period: str, binds: tuple) -> None:
    frame = door.ask(CAMPAIGNS, *binds)
    st.markdown("**Spend and acquisition cost by campaign**")
    if frame.empty:
        st.info("No campaign touched anybody in this period.")
        return
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={
            "spend": st.column_config.NumberColumn("spend, USD", format="%.2f"),
            "cost_per_sign_up": st.column_config.NumberColumn("cost per sign-up, USD", format="%.2f"),
        },
    )
    charts.explain(
        "Campaigns", unit="USD; a sign-up is a conversion", period=period, source="gold.fct_marketing_touches", query=CAMPAIGNS, binds=binds, frame=frame,
    )  # fmt: skip
