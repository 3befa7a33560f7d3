"""The SQL of a fit of the purchase model, in the order in which it is executed. Values are binds, never part of the text."""

RECORD_START = """
insert into reference_data.data_generation_audit (run_id, run_timestamp, run_type, status)
select ?, sysdate(), 'MODEL', 'RUNNING'
"""

# One fit at a time: the second waits here for the first. Binds: none.
HOLD_MODEL = "update gold.customer_model set fitted_at = fitted_at where customer_segment = '*'"

# Binds: rows (month, factor).
TAKE_CALENDAR = """
merge into gold.business_months
using (
    select value[0]::number(2, 0) as month_number, value[1]::number(12, 8) as business_factor
    from table(flatten(input => parse_json(?)))
) as settings
    on business_months.month_number = settings.month_number
when matched and business_months.business_factor <> settings.business_factor then
    update set business_factor = settings.business_factor, changed_at = sysdate()
when not matched then
    insert (month_number, business_factor, changed_at)
    values (settings.month_number, settings.business_factor, sysdate())
"""

# Customers with nearly the same history share a row: ages and silences that differ by less than a tenth, and beyond ten
# orders their numbers likewise. Their means stand for them, so what is lost is of second order. A customer of no segment
# has never signed up, so it is not known since when there was no order: no history to learn from.
READ_HISTORIES = """
with

months as (
    select
        month_number,
        (30.4375 * business_factor)::float as business_days,
        (30.4375 * (
            sum(business_factor) over (order by month_number rows between unbounded preceding and current row)
            - business_factor
        ))::float as days_before
    from gold.business_months
),

today as (
    select
        (
            365.25 * (year(instants.read_at) - 2000) + months.days_before
            + months.business_days * datediff('second', date_trunc('month', instants.read_at), instants.read_at)
            / (86400 * day(last_day(instants.read_at)))
        ) / 7 as now_weeks
    from (select sysdate() as read_at) as instants
    inner join months on month(instants.read_at) = months.month_number
),

histories as (
    select
        known.customer_segment,
        known.later_orders,
        greatest(known.last_weeks - known.born_weeks, 0) as last_weeks,
        greatest(today.now_weeks - known.born_weeks, 0) as age_weeks,
        greatest(today.now_weeks - known.last_weeks, 0) as silent_weeks
    from gold.customer_histories as known
    cross join today
    where known.customer_segment is not null
)

select
    customer_segment,
    count(*)::float as customers,
    avg(later_orders)::float as later_orders,
    avg(last_weeks)::float as last_weeks,
    avg(age_weeks)::float as age_weeks
from histories
group by
    customer_segment,
    iff(later_orders <= 10, later_orders, 10 + round(10 * ln(greatest(later_orders, 1) / 10))),
    round(10 * ln(1 + age_weeks)),
    iff(later_orders > 0, round(10 * ln(1 + silent_weeks)), 0)
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
    iff(total_orders <= 10, total_orders, 10 + round(10 * ln(greatest(total_orders, 1) / 10))),
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
