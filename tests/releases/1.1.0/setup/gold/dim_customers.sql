-- Customers: who they are, what they did, what is to be expected of them. A view, because tenure, recency, churn and
-- lifetime value change every day without any event.
--
-- The purchase model and its parameters: gold.customer_model. Time is counted in weeks of business since sign-up (gold.customer_histories), of
-- which the next 90 days hold more or fewer, as the season is; 12 months hold 365.25 / 7. With n orders since
-- then, the last of them at y = last, today at y = age, and h(y) = (alpha + y)^-(r + n) (beta + y)^-s:
--     P(alive)               = 1 / (1 + lost)
--     P(no order in 90 days) = (lost + soon + h(age + soon) / h(age)) / (1 + lost)
-- where lost and soon are the integrals of s / (beta + y) h(y) / h(age) from last to age and from age to 90 days later: having
-- dropped out already, dropping out before the next order. Over v = ((alpha + age) / (alpha + y))^(r + n) the integrand is almost a
-- straight line, so that two nodes of Gauss each give the probability to 0.002 for any history.

create or replace view gold.dim_customers (
    customer_id comment 'The customer; unique',
    first_name comment 'First name',
    last_name comment 'Last name',
    email comment 'E-mail address; of a reserved domain, nobody can be reached by it',
    gender comment 'Gender',
    age comment 'Age in years at sign-up',
    income comment 'Yearly household income in USD at sign-up',
    city comment 'City of residence',
    state comment 'State of residence, two letters',
    zip_code comment 'Postal code',
    time_zone comment 'IANA time zone in which the customer lives and shops',
    customer_segment comment 'Segment: reference_data.customer_segments.segment_name',
    price_sensitivity comment 'From 0 (buys at any price) to 1 (waits for discounts)',
    favourite_category comment 'The category the customer likes best',
    preferred_channel comment 'The sales channel the customer likes best',
    acquisition_channel comment 'The marketing channel that brought the customer',
    signed_up_at comment 'When the customer signed up, UTC',
    tenure_days comment 'Days since sign-up',
    total_orders comment 'Frequency: orders ever placed',
    total_items comment 'Pieces ever bought',
    total_spent comment 'Monetary value: sum of final_total over all orders, USD',
    total_margin comment 'Sum of margin over all orders, USD',
    avg_order_value comment 'Mean final_total of an order, USD; null before the first',
    first_order_at comment 'When the first order was placed, UTC; null before it',
    last_order_at comment 'When the last order was placed, UTC; null before the first',
    days_since_last_order comment 'Recency: days since the last order; null before the first',
    churn_probability comment 'Probability of no order in the next 90 days',
    lifetime_value comment 'Expected margin of the next 12 months, USD; before returns, as total_margin',
    engagement_score comment 'From 0 to 100: share of marketing touches that were answered, over all channels; near 0 while touches are few',
    engaged_channels comment 'Marketing channels whose touches were ever answered',
    yearly_orders comment 'Frequency: orders per year since sign-up; the first 30 days count as 30',
    expected_orders comment 'Orders that the next 12 months are expected to bring',
    loyalty_tier comment 'By total_orders: new (none or one), repeat (two to four), loyal (five or more)',
    value_tier comment 'By lifetime_value: high (worth twice a new customer of unknown segment, or more), low (less than half of one), else medium'
)
copy grants
comment = 'Customers with what is to be expected of them, amounts in USD. One row per customer who signed up or bought.'
as
with

statistics as (
    select
        customer_id,
        total_items,
        first_order_at,
        last_order_at
    from gold.customer_statistics
),

profiles as (
    select * from gold.customer_profiles
),

known as (
    select * from gold.customer_histories
),

engagement as (
    -- four touches without an answer are taken for granted, so that the first click does not make a score of 100
    select
        customer_id,
        round(100 * sum(clicks + conversions) / (4 + sum(impressions + clicks + conversions)), 2)::number(5, 2) as engagement_score,
        count(iff(clicks + conversions > 0, 1, null)) as engaged_channels
    from gold.customer_engagement
    group by customer_id
),

instants as (
    select
        column1 as days_ahead,
        dateadd('day', column1, sysdate()) as instant
    from values (0), (90)
),

places as (
    select
        days_ahead,
        instant,
        4 * (month(instant) - 1 + datediff('second', date_trunc('month', instant), instant)::float / (86400 * day(last_day(instant)))) as place
    from instants
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

today as (
    select
        max(iff(places.days_ahead = 0, places.instant, null)) as read_at,
        max(iff(
            places.days_ahead = 0,
            365.25 * (year(places.instant) - 2000) + parts.days_before + parts.business_days * (places.place - floor(places.place)),
            null
        )) / 7 as now_weeks,
        max(iff(
            places.days_ahead = 90,
            365.25 * (year(places.instant) - 2000) + parts.days_before + parts.business_days * (places.place - floor(places.place)),
            null
        )) / 7 as end_weeks
    from places
    inner join parts
        on floor(places.place) + 1 = parts.part_number
),

parameters as (
    select
        customer_segment as parameter_segment,
        rate_shape::float as r,
        rate_scale_weeks::float as alpha,
        dropout_shape::float as s,
        dropout_scale_weeks::float as beta,
        value_shape::float as p,
        spread_shape::float as q,
        -- what the model knows before the first order is worth this much spending
        mean_order_value::float * (spread_shape::float - 1) / value_shape::float as prior_spent,
        mean_order_value::float * margin_share::float as mean_margin,
        margin_share::float as margin_share
    from gold.customer_model
),

newcomer as (
    -- what a customer of unknown segment is expected to bring in the 12 months after the sign-up
    select
        r / alpha * beta / (s - 1) * (1 - power(beta / (beta + 365.25 / 7::float), s - 1)) * mean_margin as newcomer_value
    from parameters
    where parameter_segment = '*'
),

histories as (
    select
        known.customer_id,
        known.total_orders,
        known.later_orders,
        known.total_spent,
        known.total_margin,
        parameters.*,
        newcomer.newcomer_value,
        today.read_at,
        greatest(today.now_weeks - known.born_weeks, 0) as age_weeks,
        greatest(known.last_weeks - known.born_weeks, 0) as last_weeks,
        today.end_weeks - today.now_weeks as soon_weeks
    from known
    cross join today
    cross join newcomer
    left join gold.customer_model as segments
        on known.customer_segment = segments.customer_segment
    inner join parameters
        on coalesce(segments.customer_segment, '*') = parameters.parameter_segment
),

bounds as (
    select
        histories.*,
        r + later_orders as shape,
        alpha + age_weeks as alpha_age,
        beta + age_weeks as beta_age,
        -- beyond e^50 the customer is lost for certain; the cap keeps the power inside a float
        exp(least((r + later_orders) * ln((alpha + age_weeks) / (alpha + least(last_weeks, age_weeks))), 50)) as v_last,
        exp(-(r + later_orders) * ln((alpha + age_weeks + soon_weeks) / (alpha + age_weeks))) as v_soon
    from histories
),

nodes as (
    -- the weeks y at the nodes (1 -+ 1 / sqrt(3)) / 2 of both intervals of v
    select
        bounds.*,
        alpha_age * power(1 + (v_last - 1) * 0.2113248654051871, -1 / shape) - alpha as y_1,
        alpha_age * power(1 + (v_last - 1) * 0.7886751345948129, -1 / shape) - alpha as y_2,
        alpha_age * power(v_soon + (1 - v_soon) * 0.2113248654051871, -1 / shape) - alpha as y_3,
        alpha_age * power(v_soon + (1 - v_soon) * 0.7886751345948129, -1 / shape) - alpha as y_4
    from bounds
),

integrals as (
    select
        nodes.*,
        s / shape * (v_last - 1) / 2 * (
            (alpha + y_1) / (beta + y_1) * power(beta_age / (beta + y_1), s)
            + (alpha + y_2) / (beta + y_2) * power(beta_age / (beta + y_2), s)
        ) as lost,
        s / shape * (1 - v_soon) / 2 * (
            (alpha + y_3) / (beta + y_3) * power(beta_age / (beta + y_3), s)
            + (alpha + y_4) / (beta + y_4) * power(beta_age / (beta + y_4), s)
        ) as soon
    from nodes
),

expectations as (
    select
        integrals.*,
        (lost + soon + v_soon * power(beta_age / (beta_age + soon_weeks), s)) / (1 + lost) as no_order_in_90_days,
        shape / alpha_age * beta_age / (s - 1) * (1 - power(beta_age / (beta_age + 365.25 / 7::float), s - 1))
        / (1 + lost) as orders_of_next_year,
        p * (prior_spent * margin_share + total_margin) / (p * total_orders + q - 1) as margin_per_order
    from integrals
),

valued as (
    select
        expectations.*,
        (orders_of_next_year * margin_per_order)::number(12, 2) as lifetime_value
    from expectations
)

select
    valued.customer_id,
    profiles.first_name,
    profiles.last_name,
    profiles.email,
    profiles.gender,
    profiles.age,
    profiles.income,
    profiles.city,
    profiles.state,
    profiles.zip_code,
    profiles.time_zone,
    profiles.customer_segment,
    profiles.price_sensitivity,
    profiles.favourite_category,
    profiles.preferred_channel,
    profiles.acquisition_channel,
    profiles.signed_up_at,
    datediff('day', profiles.signed_up_at, valued.read_at) as tenure_days,
    valued.total_orders,
    statistics.total_items,
    valued.total_spent,
    valued.total_margin,
    round(valued.total_spent / nullif(valued.total_orders, 0), 2)::number(12, 2) as avg_order_value,
    statistics.first_order_at,
    statistics.last_order_at,
    datediff('day', statistics.last_order_at, valued.read_at) as days_since_last_order,
    least(greatest(valued.no_order_in_90_days, 0), 1)::number(9, 6) as churn_probability,
    valued.lifetime_value,
    coalesce(engagement.engagement_score, 0) as engagement_score,
    coalesce(engagement.engaged_channels, 0) as engaged_channels,
    (
        valued.total_orders * 365.25
        / greatest(datediff('day', coalesce(profiles.signed_up_at, statistics.first_order_at), valued.read_at), 30)
    )::number(12, 4) as yearly_orders,
    valued.orders_of_next_year::number(12, 4) as expected_orders,
    case when valued.total_orders >= 5 then 'loyal' when valued.total_orders >= 2 then 'repeat' else 'new' end as loyalty_tier,
    case
        when valued.lifetime_value >= 2 * valued.newcomer_value then 'high'
        when valued.lifetime_value < 0.5 * valued.newcomer_value then 'low'
        else 'medium'
    end as value_tier
from valued
inner join statistics
    on valued.customer_id = statistics.customer_id
left join profiles
    on valued.customer_id = profiles.customer_id
left join engagement
    on valued.customer_id = engagement.customer_id;

grant select on view gold.dim_customers to application role app_analyst;
