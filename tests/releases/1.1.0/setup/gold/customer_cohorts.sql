-- How customers stay, by the month of their first order. Months in which nobody of a cohort bought have a row, too, so that curves have no
-- holes; months begin in UTC.

create or replace view gold.customer_cohorts (
    cohort_month comment 'First day of the month of the first order',
    customer_segment comment 'Segment of the customers as they last told; unknown where nobody told',
    months_since comment 'Months since the first order, 0 for its own',
    customers comment 'Customers of the cohort; the same in each of its months',
    active_customers comment 'Those who bought in the month',
    orders comment 'Their orders of the month',
    net_revenue comment 'What they bought in the month, after discounts, before returns',
    margin comment 'net_revenue less what the goods cost us'
)
copy grants
comment = 'Retention and revenue by cohort, amounts in USD; sums over gold.fct_sales. One row per month of the first order, customer segment and month since.'
as
with

customers as (
    select
        statistics.customer_id,
        date_trunc('month', statistics.first_order_at)::date as cohort_month,
        coalesce(profiles.customer_segment, 'unknown') as customer_segment
    from gold.customer_statistics as statistics
    left join gold.customer_profiles as profiles
        on statistics.customer_id = profiles.customer_id
    where statistics.first_order_at is not null
),

bought as (
    select
        customer_id,
        date_trunc('month', order_date)::date as sales_month,
        count(*) as orders,
        sum(subtotal - discount_total) as net_revenue,
        sum(margin) as margin
    from gold.fct_sales
    group by 1, 2
),

activity as (
    select
        customers.cohort_month,
        customers.customer_segment,
        bought.sales_month,
        count(*) as active_customers,
        sum(bought.orders) as orders,
        sum(bought.net_revenue) as net_revenue,
        sum(bought.margin) as margin
    from bought
    inner join customers
        on bought.customer_id = customers.customer_id
    group by 1, 2, 3
),

cohorts as (
    select cohort_month, customer_segment, count(*) as customers
    from customers
    group by cohort_month, customer_segment
),

months as (
    select month_start as sales_month
    from gold.dim_dates
    where
        day_of_month = 1
        and month_start between (select min(sales_month) from activity) and (select max(sales_month) from activity)
)

select
    cohorts.cohort_month,
    cohorts.customer_segment,
    datediff('month', cohorts.cohort_month, months.sales_month) as months_since,
    cohorts.customers,
    coalesce(activity.active_customers, 0) as active_customers,
    coalesce(activity.orders, 0) as orders,
    coalesce(activity.net_revenue, 0) as net_revenue,
    coalesce(activity.margin, 0) as margin
from cohorts
inner join months
    on cohorts.cohort_month <= months.sales_month
left join activity
    on
        cohorts.cohort_month = activity.cohort_month
        and cohorts.customer_segment = activity.customer_segment
        and months.sales_month = activity.sales_month;

grant select on view gold.customer_cohorts to application role app_analyst;
