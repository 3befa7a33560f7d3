-- What gold expects of customers beside what the law makes of them from now on, in days of business. It reads gold, so the setup comes to it
-- after gold. Customers of 1.0.0 have no rate here, and no row.

create or replace view truth.customer_expectations (
    customer_id comment 'gold.dim_customers.customer_id; unique',
    churn_probability comment 'That no order comes in the next 90 days, by gold',
    true_churn_probability comment 'The same by the rate and the moment of dropout',
    lifetime_value comment 'Expected margin of the next 12 months, by gold',
    true_lifetime_value comment 'The same by rate, moment of dropout and margin of an order'
)
copy grants
comment = 'Churn probability and lifetime value against the truth, amounts in USD. One row per customer who has a rate.'
as
with

days as (
    select dates.calendar_date as until, sum(calendar.business_factor) over (order by dates.calendar_date) as business_days
    from gold.dim_dates as dates
    inner join gold.business_calendar as calendar
        on floor(4 * (dates.month - 1 + (dates.day_of_month - 1) / day(last_day(dates.calendar_date)))) + 1 = calendar.part_number
    where dates.calendar_date between sysdate()::date and dateadd('day', 365, sysdate()::date)
)

select
    customers.customer_id,
    customers.churn_probability,
    exp(-latent.purchase_rate / 30 * coalesce(quarter.business_days, 0))::number(9, 6) as true_churn_probability,
    customers.lifetime_value,
    (latent.purchase_rate / 30 * coalesce(year.business_days, 0) * latent.order_margin)::number(12, 2) as true_lifetime_value
from gold.dim_customers as customers
inner join truth.customers as latent
    on customers.customer_id = latent.customer_id
left join days as quarter
    on least(latent.dropout_at::date, dateadd('day', 90, sysdate()::date)) = quarter.until
left join days as year
    on least(latent.dropout_at::date, dateadd('day', 365, sysdate()::date)) = year.until
where latent.purchase_rate is not null;

grant select on view truth.customer_expectations to application role app_truth;
