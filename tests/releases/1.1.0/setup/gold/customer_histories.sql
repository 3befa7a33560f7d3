-- All that the purchase model knows of a customer. Time is business time, in weeks since 2000-01-01: each quarter of a month lasts as long
-- as gold.business_calendar says, and a year 365.25 days. Nothing here depends on today's date.

create or replace view gold.customer_histories (
    customer_id comment 'The customer; unique',
    customer_segment comment 'Segment: reference_data.customer_segments.segment_name; null for who never signed up',
    total_orders comment 'Orders ever placed',
    later_orders comment 'Orders after the sign-up: all but one that was placed in the half hour of the sign-up',
    total_spent comment 'Sum of final_total over all orders, USD',
    total_margin comment 'Sum of margin over all orders, USD',
    born_at comment 'Sign-up, or the first order of who never signed up, UTC',
    born_weeks comment 'born_at in business weeks',
    last_weeks comment 'The last of the later orders in business weeks; born_weeks where there is none'
)
copy grants
comment = 'Sufficient statistics of the purchase model, amounts in USD. One row per customer who signed up or bought.'
as
with

statistics as (
    select * from gold.customer_statistics
),

profiles as (
    select
        customer_id,
        customer_segment,
        signed_up_at
    from gold.customer_profiles
),

parts as (
    select
        part_number,
        (365.25 / 48 * business_factor)::float as business_days,
        (365.25 / 48 * (
            sum(business_factor) over (order by part_number rows between unbounded preceding and current row) - business_factor
        ))::float as days_before
    from gold.business_calendar
),

customers as (
    select
        statistics.*,
        profiles.customer_segment,
        coalesce(profiles.signed_up_at, statistics.first_order_at) as born_at
    from statistics
    left join profiles
        on statistics.customer_id = profiles.customer_id
),

placed as (
    select
        customers.*,
        -- an order in the half hour of the sign-up is the reason for it, and says nothing about the rate
        total_orders - iff(time_slice(first_order_at, 30, 'minute') = time_slice(born_at, 30, 'minute'), 1, 0) as later_orders,
        -- quarters of months since the year began
        4 * (month(born_at) - 1 + datediff('second', date_trunc('month', born_at), born_at)::float / (86400 * day(last_day(born_at))))
            as born_place,
        4 * (month(last_order_at) - 1 + datediff('second', date_trunc('month', last_order_at), last_order_at)::float / (86400 * day(last_day(last_order_at))))
            as last_place
    from customers
),

dated as (
    select
        placed.*,
        (
            365.25 * (year(born_at) - 2000) + births.days_before + births.business_days * (born_place - floor(born_place))
        ) / 7 as born_weeks,
        (
            365.25 * (year(last_order_at) - 2000) + lasts.days_before + lasts.business_days * (last_place - floor(last_place))
        ) / 7 as last_order_weeks
    from placed
    inner join parts as births
        on floor(placed.born_place) + 1 = births.part_number
    left join parts as lasts
        on floor(placed.last_place) + 1 = lasts.part_number
)

select
    customer_id,
    customer_segment,
    total_orders,
    later_orders,
    total_spent,
    total_margin,
    born_at,
    born_weeks,
    iff(later_orders > 0, greatest(last_order_weeks, born_weeks), born_weeks) as last_weeks
from dated;

grant select on view gold.customer_histories to application role app_analyst;
