-- Recency, frequency and money of those who bought, each in fifths of all buyers as they are now.

create or replace view gold.customer_rfm (
    customer_id comment 'gold.dim_customers.customer_id; unique',
    last_order_at comment 'When the newest order was placed, UTC',
    total_orders comment 'Orders so far',
    total_spent comment 'Sum of their final totals',
    recency_fifth comment '1 to 5; 5 for the fifth of the buyers who ordered last',
    frequency_fifth comment '1 to 5; 5 for the fifth with most orders, and of as many those who spent more',
    money_fifth comment '1 to 5; 5 for the fifth who spent most'
)
copy grants
comment = 'Buyers by recency, frequency and money, amounts in USD. One row per customer with an order.'
as
select
    customer_id,
    last_order_at,
    total_orders,
    total_spent,
    ntile(5) over (order by last_order_at, customer_id) as recency_fifth,
    ntile(5) over (order by total_orders, total_spent, customer_id) as frequency_fifth,
    ntile(5) over (order by total_spent, customer_id) as money_fifth
from gold.customer_statistics
where total_orders > 0;

grant select on view gold.customer_rfm to application role app_analyst;
