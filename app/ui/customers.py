"""Who buys: segments, cohorts, recency and frequency, what is to be expected, one customer's story; and how right the expectation is."""

import charts
import door
import pandas as pd
import parts
import streamlit as st

ROLES = {"app_analyst", "app_truth"}

TOTALS = """
select
    count(*) as customers,
    count_if(total_orders > 0) as buyers,
    count_if(total_orders > 1) as repeat_buyers,
    max(last_order_at) as last_order_at
from gold.customer_statistics
"""
SEGMENTS = """
select
    coalesce(customer_segment, 'none') as segment,
    count(*) as customers,
    count_if(total_orders > 0) as buyers,
    sum(total_orders) as orders,
    sum(total_spent) as revenue,
    sum(total_spent) / nullif(sum(total_orders), 0) as basket,
    avg(churn_probability) as churn_probability,
    sum(lifetime_value) as lifetime_value
from gold.dim_customers
group by segment
order by revenue desc
"""
COHORTS = """
with

cohorts as (
    select customer_id, date_trunc('month', first_order_at) as cohort
    from gold.customer_statistics
    where first_order_at is not null
),

active as (
    select
        cohorts.cohort,
        datediff('month', cohorts.cohort, sales.ordered_at) as months_since,
        count(distinct sales.customer_id) as customers
    from gold.fct_sales as sales
    inner join cohorts
        on sales.customer_id = cohorts.customer_id
    group by cohorts.cohort, months_since
)

select
    to_char(cohort, 'YYYY-MM') as cohort_month,
    months_since,
    customers as active_customers,
    customers / max(customers) over (partition by cohort) as share
from active
where cohort >= dateadd('month', -18, date_trunc('month', sysdate()))
order by cohort_month, months_since
"""
RFM = """
with

scored as (
    select
        ntile(5) over (order by last_order_at) as recency,
        ntile(5) over (order by total_orders, total_spent) as frequency,
        total_orders,
        total_spent
    from gold.customer_statistics
    where total_orders > 0
)

select
    recency,
    frequency,
    count(*) as customers,
    avg(total_orders) as mean_orders,
    avg(total_spent) as mean_spent
from scored
group by recency, frequency
order by recency, frequency
"""
CHURN = """
select
    least(floor(churn_probability * 20) / 20, 0.95) as churn_from,
    count(*) as customers
from gold.dim_customers
group by churn_from
order by churn_from
"""
VALUE = """
select
    least(floor(lifetime_value / 5) * 5, 150) as value_from,
    count(*) as customers,
    sum(lifetime_value) as lifetime_value
from gold.dim_customers
group by value_from
order by value_from
"""
FIND = """
select customer_id, first_name, last_name, email, customer_segment
from gold.customer_profiles
where customer_id = try_to_number(?) or email ilike ? or first_name || ' ' || last_name ilike ?
order by customer_id
limit 20
"""
BEST = """
select profiles.customer_id, profiles.first_name, profiles.last_name, profiles.email, profiles.customer_segment
from gold.customer_statistics as statistics
inner join gold.customer_profiles as profiles
    on statistics.customer_id = profiles.customer_id
order by statistics.total_spent desc, profiles.customer_id
limit 20
"""
ONE = """
select
    customer_segment, city, state, signed_up_at, acquisition_channel, total_orders, total_spent, last_order_at, churn_probability, lifetime_value
from gold.dim_customers
where customer_id = ?
"""
STORY = """
select signed_up_at as at, 'sign-up' as what, 'through ' || coalesce(acquisition_channel, 'unknown') as detail, null as amount
from gold.customer_profiles
where customer_id = ?
union all
select ordered_at, 'order', 'order ' || order_id || ', ' || item_count || ' pieces, ' || coalesce(sales_channel, 'unknown'), final_total
from gold.fct_sales
where customer_id = ?
union all
select shipments.delivered_at, 'delivery', 'order ' || shipments.order_id || iff(shipments.delay_days > 0, ', late', ''), null
from gold.fct_shipments as shipments
inner join gold.fct_sales as sales
    on shipments.order_id = sales.order_id
where sales.customer_id = ? and shipments.delivered_at is not null
union all
select returned_at, 'return', 'of order ' || order_id || coalesce(': ' || reason, ''), -refund_total
from gold.fct_returns
where customer_id = ?
union all
select occurred_at, touch_type, channel_name || coalesce(', ' || campaign_name, ''), null
from gold.fct_marketing_touches
where customer_id = ?
order by at desc
limit 500
"""
# The law by which customers live is known here: what it makes of each from now on, without season and hour of the day.
_EXPECTED = """
with

expected as (
    select
        customers.churn_probability,
        customers.lifetime_value,
        segments.purchase_frequency * truth.rate_factor / 30000000 as orders_per_day,
        segments.avg_order_value * truth.value_factor / 1000000 as order_value,
        greatest(datediff('hour', sysdate(), truth.dropout_at), 0) / 24 as days_left,
        sum(customers.total_margin) over () / nullif(sum(customers.total_spent) over (), 0) as margin_share
    from gold.dim_customers as customers
    inner join truth.customers as truth
        on customers.customer_id = truth.customer_id
    inner join reference_data.customer_segments as segments
        on truth.customer_segment = segments.segment_name
)
"""
CHURN_TRUTH = f"""{_EXPECTED}
select
    least(floor(churn_probability * 10), 9) as class,
    count(*) as customers,
    avg(churn_probability) as expected,
    avg(exp(-orders_per_day * least(days_left, 90))) as true_probability
from expected
group by class
order by class
"""
VALUE_TRUTH = f"""{_EXPECTED},

classes as (
    select *, ntile(10) over (order by lifetime_value) as class
    from expected
)

select
    class,
    count(*) as customers,
    avg(lifetime_value) as expected,
    avg(orders_per_day * least(days_left, 365) * order_value * margin_share) as true_value
from classes
group by class
order by class
"""
NOW = "as of now"
SEE = ["Segments", "Retention", "RFM", "Churn and value", "One customer", "Calibration"]


def show() -> None:
    part = parts.choice("See", SEE, "see", SEE[0] if door.holds("app_analyst") else "Calibration")
    role = "app_truth" if part == "Calibration" else "app_analyst"
    if not parts.needs(part, role):
        return
    totals = door.ask(TOTALS).iloc[0]
    if not totals["customers"]:
        st.info(
            "**There are no customers yet.** The page Overview generates a first batch; it needs APP_ADMIN.",
            icon=":material/rocket_launch:",
        )
        return
    {
        "Segments": segments,
        "Retention": retention,
        "RFM": rfm,
        "Churn and value": churn_and_value,
        "One customer": one_customer,
        "Calibration": calibration,
    }[part](totals)


def segments(totals: pd.Series) -> None:
    cells = st.columns(3)
    cells[0].metric("Customers", f"{totals['customers']:,.0f}")
    cells[1].metric("have bought", f"{totals['buyers']:,.0f}")
    cells[2].metric("of them more than once", f"{totals['repeat_buyers'] / max(totals['buyers'], 1):.0%}")
    frame = door.ask(SEGMENTS)
    left, right = st.columns(2)
    about = {"period": NOW, "source": "gold.dim_customers", "query": SEGMENTS, "binds": (), "frame": frame}
    with left:
        charts.present(
            "Customers by segment",
            charts.bars(frame, "customers", "segment", unit="customers"),
            unit="Customers",
            **about,
        )
    with right:
        charts.present(
            "Expected value by segment", charts.bars(frame, "lifetime_value", "segment", unit="USD"),
            unit="USD, expected margin of the next 12 months", **about,
        )  # fmt: skip
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={
            "revenue": st.column_config.NumberColumn("revenue, USD", format="%.0f"),
            "basket": st.column_config.NumberColumn("basket, USD", format="%.2f"),
            "churn_probability": st.column_config.NumberColumn("mean churn probability", format="%.2f"),
            "lifetime_value": st.column_config.NumberColumn("lifetime value, USD", format="%.0f"),
        },
    )


def retention(totals: pd.Series) -> None:
    frame = door.ask(COHORTS)
    if frame.empty:
        st.info("Nobody has bought yet.")
        return
    months = list(range(int(frame["months_since"].max()) + 1))
    cohorts = sorted(frame["cohort_month"].unique())
    later = frame[frame["months_since"] > 0]
    if later.empty:
        st.info(
            "All first orders are from this month, so nobody can have come back in a later one. Fill history on the page "
            "Overview, or let the pipeline run on."
        )
        return
    charts.present(
        "Retention by month of the first order",
        charts.heat(later, "months_since", "cohort_month", "share", unit="share", columns=months[1:], rows=cohorts, form=".1%"),
        unit="Share of a cohort that orders in a month after that of its first order", period="first orders of the last 18 months",
        source="gold.fct_sales, gold.customer_statistics", query=COHORTS, binds=(), frame=frame,
    )  # fmt: skip


def rfm(totals: pd.Series) -> None:
    if not totals["buyers"]:
        st.info("Nobody has bought yet.")
        return
    frame = door.ask(RFM)
    left, right = st.columns(2)
    about = {"period": NOW, "source": "gold.customer_statistics", "query": RFM, "binds": (), "frame": frame}
    fifths = [1, 2, 3, 4, 5]
    said = "fifths of the buyers: recency 5 ordered last, frequency 5 most often"
    for place, column, name, unit in (
        (left, "customers", "Customers by recency and frequency", "customers"),
        (right, "mean_spent", "Money by recency and frequency", "USD per customer"),
    ):
        with place:
            chart = charts.heat(frame, "recency", "frequency", column, unit=unit, columns=fifths, rows=fifths[::-1])
            charts.present(name, chart, unit=f"{unit}; {said}", **about)


def churn_and_value(totals: pd.Series) -> None:
    churn, value = door.ask(CHURN), door.ask(VALUE)
    left, right = st.columns(2)
    with left:
        charts.present(
            "Churn probability", charts.histogram(churn, "churn_from", "customers", title="probability, from", unit="customers"),
            unit="Customers by the probability of no order in the next 90 days", period=NOW, source="gold.dim_customers",
            query=CHURN, binds=(), frame=churn,
        )  # fmt: skip
    with right:
        charts.present(
            "Lifetime value", charts.histogram(value, "value_from", "customers", title="USD, from", unit="customers"),
            unit="Customers by the margin expected of the next 12 months, USD; the last class is open", period=NOW,
            source="gold.dim_customers", query=VALUE, binds=(), frame=value,
        )  # fmt: skip


def one_customer(totals: pd.Series) -> None:
    sought = st.text_input(
        "Number, name or e-mail address", key="sought", placeholder="empty: those who spent most"
    ).strip()
    found = door.ask(FIND, sought, f"%{sought}%", f"%{sought}%") if sought else door.ask(BEST)
    if found.empty:
        st.info(f"Nobody is called like “{sought}”. Try a part of the name, or the number alone.")
        return
    names = {
        f"{row.first_name} {row.last_name} ({row.customer_id}, {row.customer_segment})": row.customer_id
        for row in found.itertuples()
    }
    customer = int(names[st.selectbox("Customer", list(names), key="customer")])
    traits = door.ask(ONE, customer).iloc[0]
    cells = st.columns(4)
    cells[0].metric("Orders", f"{traits['total_orders']:,.0f}")
    cells[1].metric("Spent, USD", f"{traits['total_spent']:,.2f}")
    cells[2].metric("No order in 90 days", f"{traits['churn_probability']:.0%}", help="Churn probability")
    cells[3].metric("Value, USD", f"{traits['lifetime_value']:,.2f}", help="Expected margin of the next 12 months")
    st.caption(
        f"{traits['customer_segment']} · {traits['city']}, {traits['state']} · signed up {traits['signed_up_at']:%Y-%m-%d} "
        f"through {traits['acquisition_channel']}"
    )
    binds = (customer,) * 5
    story = door.ask(STORY, *binds)
    charts.present(
        "The story of a customer", charts.story(story), unit="Events; the tip of the mouse tells amounts in USD",
        period="from sign-up, the newest 500", source="gold.fct_sales, fct_shipments, fct_returns, fct_marketing_touches",
        query=STORY, binds=binds, frame=story,
    )  # fmt: skip
    st.dataframe(story, hide_index=True, width="stretch", height=260)


def calibration(totals: pd.Series) -> None:
    st.write(
        "What gold expects of customers, against what the generator knows of them: their rates, and the moments at which they "
        "drop out. On the dashed line the expectation is right; the larger a point, the more customers it stands for."
    )
    churn, value = door.ask(CHURN_TRUTH), door.ask(VALUE_TRUTH)
    left, right = st.columns(2)
    with left:
        charts.present(
            "Churn probability against the truth",
            charts.on_diagonal(churn, "expected", "true_probability", size="customers", x_title="expected by gold", y_title="by the truth"),
            unit="Mean probability of no order in the next 90 days, by tenths of the expectation", period=NOW,
            source="gold.dim_customers, truth.customers", query=CHURN_TRUTH, binds=(), frame=churn,
        )  # fmt: skip
    with right:
        charts.present(
            "Lifetime value against the truth",
            charts.on_diagonal(value, "expected", "true_value", size="customers", x_title="expected by gold, USD", y_title="by the truth, USD"),
            unit="Mean margin of the next 12 months, USD, by tenths of the customers", period=NOW,
            source="gold.dim_customers, truth.customers", query=VALUE_TRUTH, binds=(), frame=value,
        )  # fmt: skip
