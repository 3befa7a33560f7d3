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
SUMS = "sum(orders) as orders, sum(net_revenue) as revenue, sum(margin) as margin, sum(refund_total) as returns"
DAYS = f"""
select revenue_date >= ? as is_now, revenue_date as day, {SUMS}
from gold.daily_revenue
where revenue_date >= ? and revenue_date <= ?
group by is_now, day
order by day
"""
PARTS = """
select revenue_date >= ? as is_now, {column} as part, {sums}
from gold.daily_revenue
where revenue_date >= ? and revenue_date <= ?
group by is_now, part
order by revenue desc
"""
# The regions of the US census; what is picked up in a store is shipped nowhere.
REGIONS = """
with

sold as (
    select
        sales.order_date as day, sales.ship_state, 1 as orders, sales.subtotal - sales.discount_total as net_revenue,
        sales.margin, 0 as refund_total
    from gold.fct_sales as sales
    union all
    select returns.return_date, sales.ship_state, 0, 0, 0, returns.refund_total
    from gold.fct_returns as returns
    inner join gold.fct_sales as sales
        on returns.order_id = sales.order_id
)

select
    day >= ? as is_now,
    case
        when ship_state in ('CT', 'ME', 'MA', 'NH', 'RI', 'VT', 'NJ', 'NY', 'PA') then 'Northeast'
        when ship_state in ('IL', 'IN', 'MI', 'OH', 'WI', 'IA', 'KS', 'MN', 'MO', 'NE', 'ND', 'SD') then 'Midwest'
        when ship_state in ('AZ', 'CO', 'ID', 'MT', 'NV', 'NM', 'UT', 'WY', 'AK', 'CA', 'HI', 'OR', 'WA') then 'West'
        when ship_state is not null then 'South'
        else 'picked up'
    end as part,
    {sums}
from sold
where day >= ? and day <= ?
group by is_now, part
order by revenue desc
"""
BY = {
    "Segment": PARTS.format(column="customer_segment", sums=SUMS),
    "Category": PARTS.format(column="category_name", sums=SUMS),
    "Channel": PARTS.format(column="sales_channel", sums=SUMS),
    "Region": REGIONS.format(sums=SUMS),
}
HOURS = """
select dayofweekiso(ordered_at) as weekday, hour(ordered_at) as hour_utc, count(*) as orders
from gold.fct_sales
where order_date >= ? and order_date <= ?
group by weekday, hour_utc
"""
MONTHS = """
select
    month(revenue_date) as month,
    category_name as category,
    sum(net_revenue) / count(distinct revenue_date) as revenue
from gold.daily_revenue
group by month, category
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
MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def show() -> None:
    bounds = door.ask(BOUNDS).iloc[0]
    if pd.isna(bounds["last_day"]):
        parts.nothing_yet("Nothing has been sold yet")
        return
    days = PERIODS[parts.choice("Period", list(PERIODS), "period", "30 days")]
    end = door.now().date()
    start = end - timedelta(days=days - 1)
    before = start - timedelta(days=days)
    binds = (start, before, end)
    daily = door.ask(DAYS, *binds)
    if daily.empty or not daily["is_now"].any():
        st.info(
            f"Nothing was sold in the last {days} days, the last order is from {bounds['last_day']}. Choose a longer period."
        )
        return
    is_compared = bounds["first_day"] <= before
    headline(daily, is_compared)
    period = f"{start} to {end}, today so far"
    measure = parts.choice("Measure", list(MEASURES), "measure")
    by_day(daily, measure, start, end, is_compared)
    left, right = st.columns(2)
    with left:
        by_part(measure, period, binds, is_compared)
    with right:
        seasons(period, (start, end))
    campaigns(period, (start, end))


def with_basket(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(basket=frame["revenue"] / frame["orders"].where(frame["orders"] > 0))


def headline(daily: pd.DataFrame, is_compared: bool) -> None:
    totals = with_basket(daily.groupby("is_now")[["orders", "revenue", "margin", "returns"]].sum())
    cells = {}
    for measure in MEASURES:
        now, before = totals.loc[True, measure.lower()], totals[measure.lower()].get(False, 0)
        cells[measure if measure == "Orders" else f"{measure}, USD"] = {
            "value": f"{now:,.2f}" if measure == "Basket" else f"{now:,.0f}",
            "delta": f"{now / before - 1:+.1%}" if is_compared and before else None,
            "delta_color": "inverse" if measure == "Returns" else "normal",
            "help": "Against the period before, of as many days",
        }
    parts.metrics(cells)


def by_day(daily: pd.DataFrame, measure: str, start: date, end: date, is_compared: bool) -> None:
    days = pd.date_range(start, end)
    spans = {True: days, False: days - pd.Timedelta(days=len(days))} if is_compared else {True: days}
    frames = []
    for is_now, span in spans.items():  # a day without sales is nothing, not a line to the next day
        part = (
            daily[daily["is_now"] == is_now].drop(columns="is_now").astype({"day": "datetime64[ns]"}).set_index("day")
        )
        frames.append(with_basket(part.reindex(span, fill_value=0)).set_axis(days).rename_axis("day").reset_index())
        frames[-1]["period"] = charts.PERIODS[not is_now]
    frame = pd.concat(frames) if is_compared else frames[0].drop(columns="period")
    period = f"{start} to {end}, today so far"
    charts.present(
        f"{measure} by day",
        charts.lines(frame, "day", measure.lower(), unit=MEASURES[measure]),
        daily,
        unit=f"{MEASURES[measure]} per day",
        period=period + (", dashed: the period before" if is_compared else ""),
    )


def by_part(measure: str, period: str, binds: tuple, is_compared: bool) -> None:
    part = parts.choice("By", list(BY), "by")
    found = door.ask(BY[part], *binds)
    by, name = part.lower(), measure.lower()
    wide = with_basket(found).pivot_table(index="part", columns="is_now", values=name, aggfunc="sum").reset_index()
    wide = wide.rename(columns={"part": by, True: name, False: "before"}).reindex(
        columns=[by, name, *["before"] * is_compared]
    )
    charts.present(
        f"{measure} by {by}",
        charts.bars(wide, name, by, unit=MEASURES[measure]),
        found,
        unit=MEASURES[measure] + ("; an order counts where its first line does" if part == "Category" else ""),
        period=period + (", mark: the period before" if is_compared else ""),
    )


def seasons(period: str, binds: tuple) -> None:
    if parts.choice("Season", ["Week", "Year"], "season") == "Week":
        frame = door.ask(HOURS, *binds)
        frame["weekday"] = frame["weekday"].map(lambda day: WEEKDAYS[int(day) - 1])
        chart = charts.heat(
            frame, "hour_utc", "weekday", "orders", unit="orders", columns=list(range(24)), rows=WEEKDAYS
        )
        charts.present("Orders by weekday and hour", chart, frame, unit="Orders", period=period)
        return
    frame = door.ask(MONTHS)
    frame["month"] = frame["month"].map(lambda month: MONTH_NAMES[int(month) - 1])
    names = sorted(frame["category"].unique())
    chart = charts.heat(frame, "month", "category", "revenue", unit="USD per day", columns=MONTH_NAMES, rows=names)
    charts.present(
        "Revenue by month and category", chart, frame, unit="USD per day with sales", period="all that is in gold"
    )


def campaigns(period: str, binds: tuple) -> None:
    st.markdown("**Spend and acquisition cost by campaign**")
    frame = door.ask(CAMPAIGNS, *binds)
    if frame.empty:
        st.info("No campaign touched anybody in this period.")
        return
    parts.table(frame, spend=("spend, USD", "%.2f"), cost_per_sign_up=("USD a sign-up", "%.2f"))
    charts.explain("Campaigns", frame, unit="USD; a sign-up is a conversion", period=period)
