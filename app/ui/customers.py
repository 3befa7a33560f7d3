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
select
    to_char(cohort_month, 'YYYY-MM') as cohort,
    months_since,
    sum(customers) as customers,
    sum(active_customers) as active_customers,
    sum(active_customers) / sum(customers) as share
from gold.customer_cohorts
where cohort_month >= dateadd('month', -18, sysdate())
group by cohort, months_since
order by cohort, months_since
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
# What the law makes of each customer from now on, in days of business; of customers since 1.1.0.
_EXPECTED = """
with

days as (
    select dates.calendar_date as until, sum(calendar.business_factor) over (order by dates.calendar_date) as business_days
    from gold.dim_dates as dates
    inner join gold.business_calendar as calendar
        on floor(4 * (dates.month - 1 + (dates.day_of_month - 1) / day(last_day(dates.calendar_date)))) + 1 = calendar.part_number
    where dates.calendar_date between sysdate()::date and dateadd('day', 365, sysdate()::date)
),

expected as (
    select
        customers.churn_probability,
        customers.lifetime_value,
        exp(-truth.purchase_rate / 30 * coalesce(quarter.business_days, 0)) as true_probability,
        truth.purchase_rate / 30 * coalesce(year.business_days, 0) * truth.order_margin as true_value,
        least(floor(customers.churn_probability * 10), 9) as churn_class,
        ntile(10) over (order by customers.lifetime_value) as value_class
    from gold.dim_customers as customers
    inner join truth.customers as truth
        on customers.customer_id = truth.customer_id
    left join days as quarter
        on least(truth.dropout_at::date, dateadd('day', 90, sysdate()::date)) = quarter.until
    left join days as year
        on least(truth.dropout_at::date, dateadd('day', 365, sysdate()::date)) = year.until
    where truth.purchase_rate is not null
)
"""
CHURN_TRUTH = f"""{_EXPECTED}
select count(*) as customers, avg(churn_probability) as expected, avg(true_probability) as true_probability
from expected
group by churn_class
order by churn_class
"""
VALUE_TRUTH = f"""{_EXPECTED}
select count(*) as customers, avg(lifetime_value) as expected, avg(true_value) as true_value
from expected
group by value_class
order by value_class
"""
NOW = "as of now"
SEE = ["Segments", "Retention", "RFM", "Churn and value", "One customer", "Calibration"]


def show() -> None:
    part = parts.choice("See", SEE, "see", SEE[0] if door.holds("app_analyst") else SEE[-1])
    if not parts.needs(part, "app_truth" if part == "Calibration" else "app_analyst"):
        return
    totals = door.ask(TOTALS).iloc[0]
    if not totals["customers"]:
        parts.nothing_yet("There are no customers yet")
        return
    show_part = [segments, retention, rfm, churn_and_value, one_customer, calibration][SEE.index(part)]
    show_part(totals)


def segments(totals: pd.Series) -> None:
    parts.metrics(
        {
            "Customers": {"value": f"{totals['customers']:,.0f}"},
            "have bought": {"value": f"{totals['buyers']:,.0f}"},
            "of them more than once": {"value": f"{totals['repeat_buyers'] / max(totals['buyers'], 1):.0%}"},
        }
    )
    frame = door.ask(SEGMENTS)
    left, right = st.columns(2)
    with left:
        chart = charts.bars(frame, "customers", "segment", unit="customers")
        charts.present("Customers by segment", chart, frame, unit="Customers", period=NOW)
    with right:
        chart = charts.bars(frame, "lifetime_value", "segment", unit="USD")
        charts.present("Expected value by segment", chart, frame, unit="USD, margin of the next 12 months", period=NOW)
    parts.table(
        frame,
        revenue=("revenue, USD", "%.0f"),
        basket=("basket, USD", "%.2f"),
        churn_probability=("mean churn probability", "%.2f"),
        lifetime_value=("lifetime value, USD", "%.0f"),
    )


def retention(totals: pd.Series) -> None:
    frame = door.ask(COHORTS)
    later = frame[frame["months_since"] > 0] if len(frame) else frame
    if later.empty:
        st.info(
            "No first order is from an earlier month, so nobody can have come back in a later one. Fill history on the "
            "page Overview, or let the pipeline run on."
        )
        return
    months, cohorts = (sorted(later[name].unique()) for name in ("months_since", "cohort"))
    chart = charts.heat(
        later, "months_since", "cohort", "share", unit="share", columns=months, rows=cohorts, form=".1%"
    )
    charts.present(
        "Retention by month of the first order", chart, frame, unit="Share of a cohort that orders in a later month",
        period="first orders of the last 18 months",
    )  # fmt: skip


def rfm(totals: pd.Series) -> None:
    if not totals["buyers"]:
        st.info("Nobody has bought yet.")
        return
    frame = door.ask(RFM)
    fifths = [1, 2, 3, 4, 5]
    for place, column, name, unit in zip(
        st.columns(2),
        ("customers", "mean_spent"),
        ("Customers", "Money"),
        ("customers", "USD per customer"),
        strict=True,
    ):
        with place:
            chart = charts.heat(frame, "recency", "frequency", column, unit=unit, columns=fifths, rows=fifths[::-1])
            charts.present(
                f"{name} by recency and frequency",
                chart,
                frame,
                unit=f"{unit}; fifths of the buyers, 5 is best",
                period=NOW,
            )


def churn_and_value(totals: pd.Series) -> None:
    left, right = st.columns(2)
    with left:
        frame, classes = door.ask(CHURN), [step / 20 for step in range(20)]
        chart = charts.histogram(
            frame, "churn_from", "customers", classes=classes, title="probability, from", unit="customers"
        )
        unit = "Customers by the probability of no order in the next 90 days"
        charts.present("Churn probability", chart, frame, unit=unit, period=NOW)
    with right:
        frame, classes = door.ask(VALUE), list(range(0, 155, 5))
        chart = charts.histogram(frame, "value_from", "customers", classes=classes, title="USD, from", unit="customers")
        unit = "Customers by the margin of the next 12 months, USD, the last class open"
        charts.present("Lifetime value", chart, frame, unit=unit, period=NOW)


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
    parts.metrics(
        {
            "Orders": {"value": f"{traits['total_orders']:,.0f}"},
            "Spent, USD": {"value": f"{traits['total_spent']:,.2f}"},
            "No order in 90 days": {"value": f"{traits['churn_probability']:.0%}", "help": "Churn probability"},
            "Value, USD": {
                "value": f"{traits['lifetime_value']:,.2f}",
                "help": "Expected margin of the next 12 months",
            },
        }
    )
    st.caption(
        f"{traits['customer_segment']} · {traits['city']}, {traits['state']} · signed up {traits['signed_up_at']:%Y-%m-%d} "
        f"through {traits['acquisition_channel']}"
    )
    story = door.ask(STORY, *(customer,) * 5)
    charts.present(
        "The story of a customer",
        charts.story(story),
        story,
        unit="Events, amounts in USD",
        period="from sign-up on, the newest 500",
    )
    parts.table(story)


def calibration(totals: pd.Series) -> None:
    st.write(
        "What gold expects of customers, against what the generator knows of them: their rates, and the moments at which they "
        "drop out. On the dashed line the expectation is right; the larger a point, the more customers it stands for."
    )
    for place, query, title, truth, unit in zip(
        st.columns(2), (CHURN_TRUTH, VALUE_TRUTH), ("Churn probability", "Lifetime value"), ("true_probability", "true_value"),
        ("Mean probability of no order in the next 90 days", "Mean margin of the next 12 months, USD"), strict=True,
    ):  # fmt: skip
        with place:
            frame = door.ask(query)
            chart = charts.on_diagonal(
                frame, "expected", truth, size="customers", x_title="expected by gold", y_title="by the truth"
            )
            charts.present(f"{title} against the truth", chart, frame, unit=f"{unit}, by tenths", period=NOW)
