"""What is sold: by day, segment, category, channel and region, against the period before; the seasons; what campaigns cost."""

from datetime import date, timedelta

import charts
import door
import pandas as pd
import parts
import streamlit as st

ROLES = {"app_analyst"}

MEASURES = {"Revenue": "USD", "Orders": "orders", "Basket": "USD per order", "Margin": "USD", "Returns": "USD"}
PERIODS = {"7 days": 7, "30 days": 30, "90 days": 90, "365 days": 365}
SUMS = """
select
    revenue_date >= ? as is_now,
    {column} as part,
    sum(orders) as orders,
    sum(net_revenue) as revenue,
    sum(margin) as margin,
    sum(refund_total) as returns
from {source}
where revenue_date >= ? and revenue_date <= ?
group by is_now, part
order by part, is_now
"""
DAYS = SUMS.format(column="revenue_date", source="gold.daily_revenue")
BY = {
    "Segment": SUMS.format(column="customer_segment", source="gold.daily_revenue"),
    "Category": SUMS.format(column="category_name", source="gold.daily_revenue"),
    "Channel": SUMS.format(column="sales_channel", source="gold.daily_revenue"),
    "Region": SUMS.format(column="region", source="gold.daily_regions"),
}
HOURS = """
select dayname(ordered_at) as weekday, hour(ordered_at) as hour_utc, count(*) as orders
from gold.fct_sales
where order_date >= ? and order_date <= ?
group by weekday, hour_utc
"""
MONTHS = """
select
    monthname(revenue_date) as month,
    category_name as category,
    sum(net_revenue) / count(distinct revenue_date) as revenue
from gold.daily_revenue
group by month, category
order by category, month
"""
CAMPAIGNS = """
select
    channel_name,
    campaign_name,
    sum(impressions) as impressions,
    sum(customer_clicks + prospect_clicks) as clicks,
    sum(conversions) as sign_ups,
    sum(spend) as spend,
    sum(spend) / nullif(sum(conversions), 0) as cost_per_sign_up
from gold.daily_marketing
where touch_date >= ? and touch_date <= ?
group by channel_name, campaign_name
order by spend desc
"""
BOUNDS = "select min(revenue_date) as first_day, max(revenue_date) as last_day from gold.daily_revenue"
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONTHS_OF_THE_YEAR = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def show() -> None:
    bounds = door.ask(BOUNDS).iloc[0]
    if pd.isna(bounds["last_day"]):
        parts.nothing_yet("Nothing has been sold yet")
        return
    days = PERIODS[parts.choice("Period", PERIODS, "period", "30 days")]
    end = door.now().date()
    start = end - timedelta(days=days - 1)
    before = start - timedelta(days=days)
    binds, period = (start, before, end), f"{start} to {end}, today so far"
    daily = door.ask(DAYS, *binds)
    if daily.empty or not daily["is_now"].any():
        st.info(
            f"Nothing was sold in {days} days, the last order is from {bounds['last_day']}. Choose a longer period."
        )
        return
    is_compared = bounds["first_day"] <= before
    headline(daily, is_compared)
    measure = parts.choice("Measure", MEASURES, "measure")
    by_day(daily, measure, pd.date_range(start, end), period, is_compared)
    left, right = st.columns(2)
    with left:
        by_part(measure, binds, period, is_compared)
    with right:
        seasons((start, end), period)
    charts.table(
        "Spend and acquisition cost by campaign", door.ask(CAMPAIGNS, start, end), unit="USD", note="; a sign-up is a conversion",
        period=period, spend=("spend, USD", "%.2f"), cost_per_sign_up=("USD a sign-up", "%.2f"),
    )  # fmt: skip


def with_basket(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(basket=frame["revenue"] / frame["orders"].where(frame["orders"] > 0))


def headline(daily: pd.DataFrame, is_compared: bool) -> None:
    totals = with_basket(daily.groupby("is_now")[["orders", "revenue", "margin", "returns"]].sum())
    with parts.row():
        for measure in MEASURES:
            now, before = (totals[measure.lower()].get(is_now, 0) for is_now in (True, False))
            title = measure if measure == "Orders" else f"{measure}, USD"
            value = f"{now:,.2f}" if measure == "Basket" else f"{now:,.0f}"
            delta = f"{now / before - 1:+.1%}" if is_compared and before else None
            colour = "inverse" if measure == "Returns" else "normal"
            parts.metric(title, value, "Against the period before, of as many days", delta=delta, delta_color=colour)


def by_day(daily: pd.DataFrame, measure: str, days: pd.DatetimeIndex, period: str, is_compared: bool) -> None:
    """A day without sales is nothing, not a line to the next day. What was before is drawn over the days of now."""
    found = daily.set_index(pd.to_datetime(daily["part"])).drop(columns=["is_now", "part"])
    frames = []
    for name, span in zip(charts.PERIODS, (days, days - pd.Timedelta(days=len(days))), strict=True):
        filled = with_basket(found.reindex(span, fill_value=0))
        frames.append(filled.set_axis(days).rename_axis("day").reset_index().assign(period=name))
    frame = pd.concat(frames) if is_compared else frames[0].drop(columns="period")
    frame.attrs = daily.attrs
    period += ", dashed: the period before" if is_compared else ""
    note = "" if measure == "Basket" else " per day"
    charts.lines(f"{measure} by day", frame, "day", measure.lower(), unit=MEASURES[measure], note=note, period=period)


def by_part(measure: str, binds: tuple, period: str, is_compared: bool) -> None:
    part = parts.choice("By", BY, "by")
    by, name = part.lower(), measure.lower()
    found = with_basket(door.ask(BY[part], *binds))
    frame = found.pivot(index="part", columns="is_now", values=name).rename_axis(by).reset_index()
    frame = frame.rename(columns={True: name, False: "before"}).reindex(columns=[by, name, *["before"] * is_compared])
    frame.attrs = found.attrs
    note = "; an order counts where its first line does" if part == "Category" else ""
    period += ", mark: the period before" if is_compared else ""
    charts.bars(f"{measure} by {by}", frame, name, by, unit=MEASURES[measure], note=note, period=period)


def seasons(binds: tuple[date, date], period: str) -> None:
    if parts.choice("Season", ["Week", "Year"], "season") == "Week":
        found, cells = door.ask(HOURS, *binds), ("hour_utc", "weekday", "orders")
        charts.heat("Orders by weekday and hour", found, *cells, unit="orders", period=period, rows=WEEKDAYS)
    else:
        found, cells = door.ask(MONTHS), ("month", "category", "revenue")
        looks = {"unit": "USD per day with sales", "period": "all that is in gold", "columns": MONTHS_OF_THE_YEAR}
        charts.heat("Revenue by month and category", found, *cells, **looks)
