-- What customers did, as sufficient statistics: counts, sums, first and last. A batch adds to them, so its cost does not
-- grow with history; what depends on today's date is computed by gold.dim_customers when it is read.

create table if not exists gold.customer_statistics (
    customer_id number(18, 0) not null comment 'The customer; unique',
    total_orders number(12, 0) not null comment 'Orders ever placed',
    total_items number(18, 0) not null comment 'Pieces ever bought',
    total_spent number(18, 2) not null comment 'Sum of final_total over all orders, USD',
    total_discount number(18, 2) not null comment 'Sum of discount_total over all orders, USD',
    total_margin number(18, 2) not null comment 'Sum of margin over all orders, USD',
    first_order_at timestamp_ntz comment 'When the first order was placed, UTC; null before it',
    last_order_at timestamp_ntz comment 'When the last order was placed, UTC; null before the first',
    changed_at timestamp_ntz not null comment 'When a batch last changed the row, UTC'
)
comment = 'What customers did, amounts in USD; sums over gold.fct_sales. One row per customer who signed up or bought.';

grant select on table gold.customer_statistics to application role app_analyst;
