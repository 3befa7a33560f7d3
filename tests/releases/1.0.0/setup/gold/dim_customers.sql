-- Customers: who they are, what they did, what is to be expected of them. A view, because tenure, recency, churn and
-- lifetime value change every day without any event.
--
-- The purchase model and its parameters: gold.customer_model. Time is counted in weeks since sign-up. With n orders since
-- then, the last of them at y = last, today at y = age, and h(y) = (alpha + y)^-(r + n) (beta + y)^-s:
--     P(alive)               = 1 / (1 + lost)
--     P(no order in 90 days) = (lost + soon + h(age + 90 days) / h(age)) / (1 + lost)
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
    total_orders comment 'Orders ever placed',
    total_items comment 'Pieces ever bought',
    total_spent comment 'Sum of final_total over all orders, USD',
    total_margin comment 'Sum of margin over all orders, USD',
    avg_order_value comment 'Mean final_total of an order, USD; null before the first',
    first_order_at comment 'When the first order was placed, UTC; null before it',
    last_order_at comment 'When the last order was placed, UTC; null before the first',
    days_since_last_order comment 'Days since the last order; null before the first',
    churn_probability comment 'Probability of no order in the next 90 days',
    lifetime_value comment 'Expected margin of the next 12 months, USD',
    engagement_score comment 'From 0 to 100: share of marketing touches that were answered, over all channels; near 0 while touches are few',
    engaged_channels comment 'Marketing channels whose touches were ever answered'
)
comment = 'Customers with what is to be expected of them, amounts in USD. One row per customer who signed up or bought.'
as
with

statistics as (
    select * from gold.customer_statistics
),

profiles as (
    select * from gold.customer_profiles
),

segments as (
    select * from gold.customer_model
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

customers as (
    select
        statistics.*,
        profiles.* exclude (customer_id, event_id),
        coalesce(engagement.engagement_score, 0) as engagement_score,
        coalesce(engagement.engaged_channels, 0) as engaged_channels,
        coalesce(profiles.signed_up_at, statistics.first_order_at) as born_at,
        sysdate() as read_at
    from statistics
    left join profiles
        on statistics.customer_id = profiles.customer_id
    left join engagement
        on statistics.customer_id = engagement.customer_id
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
        margin_share::float as margin_share
    from segments
),

histories as (
    select
        customers.*,
        parameters.*,
        -- an order in the half hour of the sign-up is the reason for it, and says nothing about the rate
        customers.total_orders - iff(
            time_slice(customers.first_order_at, 30, 'minute') = time_slice(customers.born_at, 30, 'minute'), 1, 0
        ) as later_orders,
        greatest(datediff('second', customers.born_at, customers.read_at), 0) / 604800::float as age_weeks,
        greatest(datediff('second', customers.last_order_at, customers.read_at), 0) / 604800::float as silent_weeks
    from customers
    left join segments
        on customers.customer_segment = segments.customer_segment
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
        exp(least(
            (r + later_orders) * ln(
                (alpha + age_weeks) / (alpha + iff(later_orders > 0, greatest(age_weeks - silent_weeks, 0), 0))
            ),
            50
        )) as v_last,
        exp(-(r + later_orders) * ln((alpha + age_weeks + 90 / 7::float) / (alpha + age_weeks))) as v_soon
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
        (lost + soon + v_soon * power(beta_age / (beta_age + 90 / 7::float), s)) / (1 + lost) as no_order_in_90_days,
        shape / alpha_age * beta_age / (s - 1) * (1 - power(beta_age / (beta_age + 365 / 7::float), s - 1))
        / (1 + lost) as orders_of_next_year,
        p * (prior_spent * margin_share + total_margin) / (p * total_orders + q - 1) as margin_per_order
    from integrals
)

select
    customer_id,
    first_name,
    last_name,
    email,
    gender,
    age,
    income,
    city,
    state,
    zip_code,
    time_zone,
    customer_segment,
    price_sensitivity,
    favourite_category,
    preferred_channel,
    acquisition_channel,
    signed_up_at,
    datediff('day', signed_up_at, read_at) as tenure_days,
    total_orders,
    total_items,
    total_spent,
    total_margin,
    round(total_spent / nullif(total_orders, 0), 2)::number(12, 2) as avg_order_value,
    first_order_at,
    last_order_at,
    datediff('day', last_order_at, read_at) as days_since_last_order,
    least(greatest(no_order_in_90_days, 0), 1)::number(9, 6) as churn_probability,
    (orders_of_next_year * margin_per_order)::number(12, 2) as lifetime_value,
    engagement_score,
    engaged_channels
from expectations;

grant select on view gold.dim_customers to application role app_analyst;
