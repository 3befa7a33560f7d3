-- What was known of customers at an instant, for models: nothing that happened at or after it has a part, whatever has arrived since. What
-- happened before and arrived later has one. The profile is that of the sign-up, which a later event can only correct. What is to be
-- predicted is not among the columns: gold.fct_sales from that instant on tells it.
--
--     select features.*, count(sales.order_id) as orders_of_next_90_days
--     from table(core.customer_features('2026-06-01'::timestamp_ntz)) as features
--     left join gold.fct_sales as sales
--         on features.customer_id = sales.customer_id and sales.ordered_at >= '2026-06-01' and sales.ordered_at < '2026-08-30'
--     group by all

create or replace function core.customer_features(as_of timestamp_ntz)
returns table (
    customer_id number(18, 0),
    observed_at timestamp_ntz,
    customer_segment varchar,
    age number(3, 0),
    income number(12, 2),
    state varchar,
    acquisition_channel varchar,
    preferred_channel varchar,
    price_sensitivity number(9, 6),
    tenure_days number(9, 0),
    orders number(12, 0),
    items number(18, 0),
    net_revenue number(18, 2),
    margin number(18, 2),
    avg_order_value number(12, 2),
    discount_share number(9, 6),
    first_order_at timestamp_ntz,
    last_order_at timestamp_ntz,
    days_since_last_order number(9, 0),
    mean_gap_days number(12, 4),
    orders_30_days number(12, 0),
    orders_90_days number(12, 0),
    orders_365_days number(12, 0),
    net_revenue_90_days number(18, 2),
    net_revenue_365_days number(18, 2),
    categories number(9, 0),
    top_category varchar,
    top_sales_channel varchar,
    return_count number(12, 0),
    refund_total number(18, 2),
    impressions_90_days number(12, 0),
    clicks_90_days number(12, 0)
)
comment = 'What was known of customers at an instant (UTC), amounts in USD. One row per customer who had signed up or bought before it'
as
$$
    with

    profiles as (
        select * from gold.customer_profiles where signed_up_at < as_of
    ),

    sales as (
        select
            customer_id,
            count(*) as orders,
            sum(item_count) as items,
            sum(subtotal) as gross_revenue,
            sum(discount_total) as discount_total,
            sum(subtotal - discount_total) as net_revenue,
            sum(margin) as margin,
            sum(final_total) as final_total,
            min(ordered_at) as first_order_at,
            max(ordered_at) as last_order_at,
            count(iff(ordered_at >= dateadd('day', -30, as_of), 1, null)) as orders_30_days,
            count(iff(ordered_at >= dateadd('day', -90, as_of), 1, null)) as orders_90_days,
            count(iff(ordered_at >= dateadd('day', -365, as_of), 1, null)) as orders_365_days,
            sum(iff(ordered_at >= dateadd('day', -90, as_of), subtotal - discount_total, 0)) as net_revenue_90_days,
            sum(iff(ordered_at >= dateadd('day', -365, as_of), subtotal - discount_total, 0)) as net_revenue_365_days
        from gold.fct_sales
        where ordered_at < as_of
        group by customer_id
    ),

    sales_channels as (
        select customer_id, sales_channel
        from gold.fct_sales
        where ordered_at < as_of and sales_channel is not null
        group by customer_id, sales_channel
        qualify row_number() over (partition by customer_id order by count(*) desc, sales_channel) = 1
    ),

    sold_categories as (
        select
            customer_id,
            category_name,
            count(*) over (partition by customer_id) as categories,
            row_number() over (partition by customer_id order by sum(line_total) desc, category_name) as place
        from gold.fct_sale_lines
        where ordered_at < as_of and category_name is not null
        group by customer_id, category_name
    ),

    returned as (
        select customer_id, count(*) as return_count, sum(refund_total) as refund_total
        from gold.fct_returns
        where returned_at < as_of
        group by customer_id
    ),

    touches as (
        select
            customer_id,
            count(iff(touch_type = 'impression', 1, null)) as impressions,
            count(iff(touch_type = 'click', 1, null)) as clicks
        from gold.fct_marketing_touches
        where occurred_at < as_of and occurred_at >= dateadd('day', -90, as_of) and customer_id is not null
        group by customer_id
    ),

    customers as (
        select customer_id from profiles
        union
        select customer_id from sales
    )

    select
        customers.customer_id,
        as_of as observed_at,
        profiles.customer_segment,
        profiles.age,
        profiles.income,
        profiles.state,
        profiles.acquisition_channel,
        profiles.preferred_channel,
        profiles.price_sensitivity,
        datediff('day', coalesce(profiles.signed_up_at, sales.first_order_at), as_of)::number(9, 0) as tenure_days,
        coalesce(sales.orders, 0)::number(12, 0) as orders,
        coalesce(sales.items, 0)::number(18, 0) as items,
        coalesce(sales.net_revenue, 0)::number(18, 2) as net_revenue,
        coalesce(sales.margin, 0)::number(18, 2) as margin,
        round(sales.final_total / sales.orders, 2)::number(12, 2) as avg_order_value,
        round(sales.discount_total / nullif(sales.gross_revenue, 0), 6)::number(9, 6) as discount_share,
        sales.first_order_at,
        sales.last_order_at,
        datediff('day', sales.last_order_at, as_of)::number(9, 0) as days_since_last_order,
        round(datediff('second', sales.first_order_at, sales.last_order_at) / 86400 / nullif(sales.orders - 1, 0), 4)::number(12, 4) as mean_gap_days,
        coalesce(sales.orders_30_days, 0)::number(12, 0) as orders_30_days,
        coalesce(sales.orders_90_days, 0)::number(12, 0) as orders_90_days,
        coalesce(sales.orders_365_days, 0)::number(12, 0) as orders_365_days,
        coalesce(sales.net_revenue_90_days, 0)::number(18, 2) as net_revenue_90_days,
        coalesce(sales.net_revenue_365_days, 0)::number(18, 2) as net_revenue_365_days,
        coalesce(sold_categories.categories, 0)::number(9, 0) as categories,
        sold_categories.category_name as top_category,
        sales_channels.sales_channel as top_sales_channel,
        coalesce(returned.return_count, 0)::number(12, 0) as return_count,
        coalesce(returned.refund_total, 0)::number(18, 2) as refund_total,
        coalesce(touches.impressions, 0)::number(12, 0) as impressions_90_days,
        coalesce(touches.clicks, 0)::number(12, 0) as clicks_90_days
    from customers
    left join profiles
        on customers.customer_id = profiles.customer_id
    left join sales
        on customers.customer_id = sales.customer_id
    left join sales_channels
        on customers.customer_id = sales_channels.customer_id
    left join sold_categories
        on customers.customer_id = sold_categories.customer_id and sold_categories.place = 1
    left join returned
        on customers.customer_id = returned.customer_id
    left join touches
        on customers.customer_id = touches.customer_id
$$;

grant usage on function core.customer_features(timestamp_ntz) to application role app_analyst;
