"""Who buys: segments, cohorts, recency and frequency, what is to be expected, one customer's story; and how right the expectation is."""

import charts
import door
import parts
import streamlit as st

ROLES = {"app_analyst", "app_truth"}

COUNT = "select count(*) as customers from gold.customer_statistics"
SEGMENTS = """
select
    coalesce(customer_segment, 'none') as segment,
    count(*) as customers,
    count_if(total_orders > 0) as buyers,
    count_if(total_orders > 1) as repeat_buyers,
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
where cohort_month >= dateadd('month', -18, sysdate()) and months_since > 0
group by cohort, months_since
order by cohort, months_since
"""
RFM = """
select recency_fifth as recency, frequency_fifth as frequency, count(*) as customers, avg(total_spent) as mean_spent
from gold.customer_rfm
group by recency, frequency
order by recency, frequency
"""
CHURN_AND_VALUE = """
select
    least(floor(churn_probability * 20) / 20, 0.95) as probability_from,
    least(floor(lifetime_value / 5) * 5, 150) as usd_from,
    count(*) as customers
from gold.dim_customers
group by probability_from, usd_from
order by probability_from, usd_from
"""
FIND = """
with

sought as (
    select ?::varchar as words
)

select
    profiles.customer_id,
    profiles.first_name || ' ' || profiles.last_name || ' (' || profiles.customer_id || ', ' || profiles.customer_segment || ')' as name
from gold.customer_profiles as profiles
inner join gold.customer_statistics as statistics
    on profiles.customer_id = statistics.customer_id
cross join sought
where
    profiles.customer_id = try_to_number(words)
    or profiles.email ilike '%' || words || '%'
    or profiles.first_name || ' ' || profiles.last_name ilike '%' || words || '%'
order by iff(profiles.customer_id = try_to_number(words), 0, 1), statistics.total_spent desc, profiles.customer_id
limit 20
"""
ONE = """
select
    customer_segment, city, state, signed_up_at, acquisition_channel, total_orders, total_spent, churn_probability, lifetime_value
from gold.dim_customers
where customer_id = ?
"""
STORY = """
select occurred_at as at, event_kind as what, detail, amount
from gold.customer_timeline
where customer_id = ?
order by at desc
limit 500
"""
CALIBRATION = """
with

expected as (
    select
        *,
        least(floor(churn_probability * 10), 9) as churn_tenth,
        ntile(10) over (order by lifetime_value) as value_tenth
    from truth.customer_expectations
)

select count(*) as customers, avg({guess}) as expected_by_gold, avg(true_{guess}) as by_the_truth
from expected
group by {tenth}
order by {tenth}
"""
CHURN_CALIBRATION = CALIBRATION.format(guess="churn_probability", tenth="churn_tenth")
VALUE_CALIBRATION = CALIBRATION.format(guess="lifetime_value", tenth="value_tenth")

FIFTHS = {"columns": [1, 2, 3, 4, 5], "rows": [5, 4, 3, 2, 1], "note": "; fifths of the buyers, 5 is best"}
TENTHS = ("expected_by_gold", "by_the_truth", "customers")
CHARTS = {  # part of the page -> its charts: how, title, query, columns, and what else is said of them
    "Segments": [
        (charts.bars, "Customers by segment", SEGMENTS, ("customers", "segment"), {"unit": "customers"}),
        (charts.bars, "Expected value by segment", SEGMENTS, ("lifetime_value", "segment"),
         {"unit": "USD", "note": ", margin of the next 12 months"}),
    ],
    "Retention": [
        (charts.heat, "Retention by month of the first order", COHORTS, ("months_since", "cohort", "share"),
         {"unit": "share", "note": " of a cohort that orders in a later month; first orders of the last 18 months", "form": ".1%"}),
    ],
    "RFM": [
        (charts.heat, "Customers by recency and frequency", RFM, ("recency", "frequency", "customers"), FIFTHS | {"unit": "customers"}),
        (charts.heat, "Money by recency and frequency", RFM, ("recency", "frequency", "mean_spent"), FIFTHS | {"unit": "USD per customer"}),
    ],
    "Churn and value": [
        (charts.histogram, "Churn probability", CHURN_AND_VALUE, ("probability_from", "customers"),
         {"unit": "customers", "note": " by the probability of no order in the next 90 days", "classes": [n / 20 for n in range(20)]}),
        (charts.histogram, "Lifetime value", CHURN_AND_VALUE, ("usd_from", "customers"),
         {"unit": "customers", "note": " by the margin of the next 12 months, the last class open", "classes": list(range(0, 155, 5))}),
    ],
    "One customer": [],
    "Calibration": [
        (charts.diagonal, "Churn probability against the truth", CHURN_CALIBRATION, TENTHS,
         {"unit": "mean probability of no order in the next 90 days", "note": ", by tenths"}),
        (charts.diagonal, "Lifetime value against the truth", VALUE_CALIBRATION, TENTHS,
         {"unit": "mean margin of the next 12 months, USD", "note": ", by tenths"}),
    ],
}  # fmt: skip


def show() -> None:
    part = parts.choice("See", CHARTS, "see", None if "app_analyst" in st.session_state.roles else "Calibration")
    if parts.lacks(part, {"app_truth" if part == "Calibration" else "app_analyst"}):
        return
    if not door.ask(COUNT).iloc[0, 0]:
        parts.nothing_yet("There are no customers yet")
        return
    if part in ABOVE:
        ABOVE[part]()
    places = st.columns(len(CHARTS[part]) or 1)
    for place, (draw, title, query, fields, looks) in zip(places, CHARTS[part], strict=False):
        with place:
            draw(title, door.ask(query), *fields, period="as of now", **looks)


def segments() -> None:
    frame = door.ask(SEGMENTS)
    customers, buyers, repeat_buyers = frame[["customers", "buyers", "repeat_buyers"]].sum()
    with parts.row():
        parts.metric("Customers", f"{customers:,.0f}")
        parts.metric("have bought", f"{buyers:,.0f}")
        parts.metric("of them more than once", f"{repeat_buyers / max(buyers, 1):.0%}")
    charts.table(
        "Segments", frame, unit="customers, orders, USD", period="as of now",
        revenue=("revenue, USD", "%.0f"), basket=("basket, USD", "%.2f"),
        churn_probability=("mean churn probability", "%.2f"), lifetime_value=("lifetime value, USD", "%.0f"),
    )  # fmt: skip


def one_customer() -> None:
    words = st.text_input("Number, name or e-mail address", key="sought", placeholder="empty: those who spent most")
    found = door.ask(FIND, words.strip())
    if found.empty:
        st.info(f"Nobody is called like “{words}”. Try a part of the name, or the number alone.")
        return
    names = dict(zip(found["customer_id"].map(int), found["name"], strict=True))
    customer = st.selectbox("Customer", list(names), format_func=names.get, key="customer")
    traits = door.ask(ONE, customer).iloc[0]
    with parts.row():
        parts.metric("Orders", f"{traits['total_orders']:,.0f}")
        parts.metric("Spent, USD", f"{traits['total_spent']:,.2f}")
        parts.metric("No order in 90 days", f"{traits['churn_probability']:.0%}", "Churn probability")
        parts.metric("Value, USD", f"{traits['lifetime_value']:,.2f}", "Expected margin of the next 12 months")
    st.caption(
        f"{traits['customer_segment']} · {traits['city']}, {traits['state']} · signed up {traits['signed_up_at']:%Y-%m-%d} "
        f"through {traits['acquisition_channel']}"
    )
    story, period = door.ask(STORY, customer), "from sign-up on, the newest 500"
    charts.story("The story of a customer", story, unit="events, amounts in USD", period=period)
    parts.table(story)


def calibration() -> None:
    st.write(
        "What gold expects of customers, against what the generator knows of them: their rates, and the moments at which they "
        "drop out. On the dashed line the expectation is right; the larger a point, the more customers it stands for."
    )


ABOVE = {"Segments": segments, "One customer": one_customer, "Calibration": calibration}
