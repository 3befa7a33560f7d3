"""The SQL of a fit of the purchase model, in the order in which it is executed. Values are binds, never part of the text."""

RECORD_START = """
insert into reference_data.data_generation_audit (run_id, run_timestamp, run_type, status)
select ?, sysdate(), 'MODEL', 'RUNNING'
"""

# One fit at a time: the second waits here for the first. Binds: none.
HOLD_MODEL = "update gold.customer_model set fitted_at = fitted_at where customer_segment = '*'"

# Binds: rows (number, factor).
TAKE_CALENDAR = """
merge into gold.business_calendar
using (
    select value[0]::number(2, 0) as part_number, value[1]::number(12, 6) as business_factor
    from table(flatten(input => parse_json(?)))
) as settings
    on business_calendar.part_number = settings.part_number
when matched and business_calendar.business_factor <> settings.business_factor then
    update set business_factor = settings.business_factor, changed_at = sysdate()
when not matched then
    insert (part_number, business_factor, changed_at)
    values (settings.part_number, settings.business_factor, sysdate())
"""

# Customers with nearly the same history share a row: ages and silences that differ by less than a twentieth, and beyond
# twenty orders their numbers likewise. A customer of no segment has never signed up, so it is not known since when there
# was no order: no history to learn from. The order makes the fit the same each time.
READ_HISTORIES = """
with

parts as (
    select
        part_number,
        (365.25 / 48 * business_factor)::float as business_days,
        (365.25 / 48 * (
            sum(business_factor) over (order by part_number rows between unbounded preceding and current row)
            - business_factor
        ))::float as days_before
    from gold.business_calendar
),

-- the last day of which anything is known: had the pipeline been stopped since, nobody would have stopped buying
known as (
    select least(sysdate(), greatest(sales.newest_at, profiles.newest_at)) as read_at
    from (select max(last_order_at) as newest_at from gold.customer_statistics) as sales
    cross join (select max(signed_up_at) as newest_at from gold.customer_profiles) as profiles
),

places as (
    select
        read_at,
        4 * (month(read_at) - 1 + datediff('second', date_trunc('month', read_at), read_at)::float
            / (86400 * day(last_day(read_at)))) as place
    from known
),

today as (
    select
        (
            365.25 * (year(places.read_at) - 2000) + parts.days_before
            + parts.business_days * (places.place - floor(places.place))
        ) / 7 as now_weeks
    from places
    inner join parts on floor(places.place) + 1 = parts.part_number
),

histories as (
    select
        told.customer_segment,
        told.later_orders,
        greatest(told.last_weeks - told.born_weeks, 0) as last_weeks,
        greatest(today.now_weeks - told.born_weeks, 0) as age_weeks,
        greatest(today.now_weeks - told.last_weeks, 0) as silent_weeks
    from gold.customer_histories as told
    cross join today
    where told.customer_segment is not null
)

select
    customer_segment,
    count(*)::float as customers,
    avg(later_orders)::float as later_orders,
    avg(age_weeks)::float as age_weeks,
    avg(silent_weeks)::float as silent_weeks,
    stddev_pop(age_weeks)::float as age_spread,
    stddev_pop(silent_weeks)::float as silence_spread
from (
    select
        histories.*,
        iff(later_orders <= 20, later_orders, 20 + round(20 * ln(greatest(later_orders, 1) / 20))) as orders_step,
        round(20 * ln(1 + age_weeks)) as age_step,
        iff(later_orders > 0, round(20 * ln(1 + silent_weeks)), 0) as silence_step
    from histories
)
group by customer_segment, orders_step, age_step, silence_step
order by customer_segment, orders_step, age_step, silence_step
"""

READ_ORDER_VALUES = """
select
    customer_segment,
    count(*)::float as customers,
    avg(total_orders)::float as orders,
    avg(total_spent / total_orders)::float as mean_value,
    avg(ln(total_spent / total_orders))::float as mean_log_value,
    sum(total_spent)::float as spent,
    sum(total_margin)::float as margin
from gold.customer_histories
where customer_segment is not null and total_orders > 0 and total_spent > 0
group by
    customer_segment,
    iff(total_orders <= 20, total_orders, 20 + round(20 * ln(greatest(total_orders, 1) / 20))),
    round(20 * ln(total_spent / total_orders))
"""

# Binds: run.
KEEP_EARLIER = """
insert into gold.customer_model_history (
    replaced_by, replaced_at, customer_segment, rate_shape, rate_scale_weeks, dropout_shape, dropout_scale_weeks,
    value_shape, spread_shape, mean_order_value, margin_share, fitted_at, run_id
)
select
    ?, sysdate(), customer_segment, rate_shape, rate_scale_weeks, dropout_shape, dropout_scale_weeks,
    value_shape, spread_shape, mean_order_value, margin_share, fitted_at, run_id
from gold.customer_model
"""

# Binds: rows, run twice.
TAKE_PARAMETERS = """
merge into gold.customer_model
using (
    select
        value:customer_segment::varchar as customer_segment,
        value:rate_shape::number(12, 6) as rate_shape,
        value:rate_scale_weeks::number(12, 6) as rate_scale_weeks,
        value:dropout_shape::number(12, 6) as dropout_shape,
        value:dropout_scale_weeks::number(12, 6) as dropout_scale_weeks,
        value:value_shape::number(12, 6) as value_shape,
        value:spread_shape::number(12, 6) as spread_shape,
        value:mean_order_value::number(12, 2) as mean_order_value,
        value:margin_share::number(9, 6) as margin_share
    from table(flatten(input => parse_json(?)))
) as fitted
    on customer_model.customer_segment = fitted.customer_segment
when matched then
    update set
        rate_shape = fitted.rate_shape,
        rate_scale_weeks = fitted.rate_scale_weeks,
        dropout_shape = fitted.dropout_shape,
        dropout_scale_weeks = fitted.dropout_scale_weeks,
        value_shape = fitted.value_shape,
        spread_shape = fitted.spread_shape,
        mean_order_value = fitted.mean_order_value,
        margin_share = fitted.margin_share,
        fitted_at = sysdate(),
        run_id = ?
when not matched then
    insert (
        customer_segment, rate_shape, rate_scale_weeks, dropout_shape, dropout_scale_weeks,
        value_shape, spread_shape, mean_order_value, margin_share, fitted_at, run_id
    )
    values (
        fitted.customer_segment, fitted.rate_shape, fitted.rate_scale_weeks, fitted.dropout_shape,
        fitted.dropout_scale_weeks, fitted.value_shape, fitted.spread_shape, fitted.mean_order_value,
        fitted.margin_share, sysdate(), ?
    )
"""

# Binds: counts and parameters, seconds, summary, run.
RECORD_END = """
update reference_data.data_generation_audit
set status = 'COMPLETED', generated_counts = parse_json(?), execution_seconds = ?, summary = ?
where run_id = ?
"""

# Binds: reason, seconds, run.
RECORD_FAILURE = """
update reference_data.data_generation_audit
set status = 'FAILED', error_message = ?, execution_seconds = ?
where run_id = ?
"""
