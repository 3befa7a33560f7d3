-- Sales by where they went; the regions are those of the US census. A return counts on its own day, where its order had gone.

create or replace view gold.daily_regions (
    revenue_date comment 'The UTC day of the orders and of the returns',
    ship_state comment 'State the orders went to, two letters; null where it is not known',
    region comment 'Northeast, Midwest, South or West; unknown where the state is',
    orders comment 'Orders of the day',
    net_revenue comment 'What was sold, after discounts, before returns',
    margin comment 'net_revenue less what the goods cost us',
    refund_total comment 'What was paid back for returns of the day'
)
copy grants
comment = 'Sales and returns by state, amounts in USD; sums over gold.fct_sales and gold.fct_returns. One row per UTC day and state.'
as
with

moved as (
    select order_date as revenue_date, ship_state, 1 as orders, subtotal - discount_total as net_revenue, margin, 0 as refund_total
    from gold.fct_sales
    union all
    select returns.return_date, sales.ship_state, 0, 0, 0, returns.refund_total
    from gold.fct_returns as returns
    inner join gold.fct_sales as sales
        on returns.order_id = sales.order_id
)

select
    revenue_date,
    ship_state,
    case
        when ship_state in ('CT', 'ME', 'MA', 'NH', 'RI', 'VT', 'NJ', 'NY', 'PA') then 'Northeast'
        when ship_state in ('IL', 'IN', 'MI', 'OH', 'WI', 'IA', 'KS', 'MN', 'MO', 'NE', 'ND', 'SD') then 'Midwest'
        when ship_state in ('AZ', 'CO', 'ID', 'MT', 'NV', 'NM', 'UT', 'WY', 'AK', 'CA', 'HI', 'OR', 'WA') then 'West'
        when ship_state is not null then 'South'
        else 'unknown'
    end as region,
    sum(orders) as orders,
    sum(net_revenue) as net_revenue,
    sum(margin) as margin,
    sum(refund_total) as refund_total
from moved
group by revenue_date, ship_state;

grant select on view gold.daily_regions to application role app_analyst;
