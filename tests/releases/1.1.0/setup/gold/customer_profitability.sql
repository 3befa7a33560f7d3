-- What each customer has brought and cost. What a channel cost in a month is borne, in even shares to the cent, by the customers it won in that
-- month; what reached existing customers costs nothing more. All other measures as in gold.daily_revenue.

create or replace view gold.customer_profitability (
    customer_id comment 'The customer: gold.dim_customers.customer_id; unique',
    customer_segment comment 'Segment: reference_data.customer_segments.segment_name',
    acquisition_channel comment 'The marketing channel that brought the customer',
    orders comment 'Orders ever placed',
    gross_revenue comment 'Sum of quantity x unit_price',
    discount_total comment 'Discounts',
    net_revenue comment 'gross_revenue - discount_total',
    refund_total comment 'What was paid back',
    revenue_after_returns comment 'net_revenue - refund_total',
    cost_total comment 'What the goods that were sold cost us',
    recovered_cost comment 'What goods had cost us that came back and can be sold again',
    gross_profit comment 'revenue_after_returns - cost_total + recovered_cost',
    shipping_total comment 'What the customer paid for shipping',
    acquisition_cost comment 'Share of what the channel cost in the month in which it won the customer',
    profit comment 'gross_profit + shipping_total - acquisition_cost'
)
copy grants
comment = 'Profit by customer, amounts in USD; sums over gold.fct_sales, returned_goods and daily_marketing. One row per customer who signed up or bought.'
as
with

customers as (
    select customer_id from gold.customer_statistics
),

profiles as (
    select customer_id, customer_segment, acquisition_channel from gold.customer_profiles
),

sales as (
    select
        customer_id,
        count(*) as orders,
        sum(subtotal) as gross_revenue,
        sum(discount_total) as discount_total,
        sum(shipping_total) as shipping_total,
        sum(cost_total) as cost_total
    from gold.fct_sales
    group by customer_id
),

returned as (
    select
        customer_id,
        sum(refund_total) as refund_total,
        sum(recovered_cost) as recovered_cost
    from gold.returned_goods
    group by customer_id
),

spends as (
    select date_trunc('month', touch_date)::date as spend_month, channel_name, round(sum(spend), 2) as spend
    from gold.daily_marketing
    group by 1, 2
),

won as (
    select
        customer_id,
        channel_name,
        date_trunc('month', touch_date)::date as won_month,
        row_number() over (partition by channel_name, date_trunc('month', touch_date)::date order by touch_id) as place,
        count(*) over (partition by channel_name, date_trunc('month', touch_date)::date) as places
    from gold.fct_marketing_touches
    where touch_type = 'conversion'
),

acquired as (
    -- differences of a rounded running share add up to the whole
    select
        won.customer_id,
        sum(
            round(spends.spend * won.place / won.places, 2) - round(spends.spend * (won.place - 1) / won.places, 2)
        )::number(18, 2) as acquisition_cost
    from won
    inner join spends
        on won.won_month = spends.spend_month and won.channel_name = spends.channel_name
    where won.customer_id is not null
    group by won.customer_id
),

sums as (
    select
        customers.customer_id,
        profiles.customer_segment,
        profiles.acquisition_channel,
        coalesce(sales.orders, 0) as orders,
        coalesce(sales.gross_revenue, 0) as gross_revenue,
        coalesce(sales.discount_total, 0) as discount_total,
        coalesce(sales.gross_revenue - sales.discount_total, 0) as net_revenue,
        coalesce(returned.refund_total, 0) as refund_total,
        coalesce(sales.cost_total, 0) as cost_total,
        coalesce(returned.recovered_cost, 0) as recovered_cost,
        coalesce(sales.shipping_total, 0) as shipping_total,
        coalesce(acquired.acquisition_cost, 0) as acquisition_cost
    from customers
    left join profiles
        on customers.customer_id = profiles.customer_id
    left join sales
        on customers.customer_id = sales.customer_id
    left join returned
        on customers.customer_id = returned.customer_id
    left join acquired
        on customers.customer_id = acquired.customer_id
)

select
    customer_id,
    customer_segment,
    acquisition_channel,
    orders,
    gross_revenue,
    discount_total,
    net_revenue,
    refund_total,
    net_revenue - refund_total as revenue_after_returns,
    cost_total,
    recovered_cost,
    net_revenue - refund_total - cost_total + recovered_cost as gross_profit,
    shipping_total,
    acquisition_cost,
    net_revenue - refund_total - cost_total + recovered_cost + shipping_total - acquisition_cost as profit
from sums;

grant select on view gold.customer_profitability to application role app_analyst;
