-- Sales, one row per order; what was bought stands in gold.fct_sale_lines. Filled by core.transform_bronze_to_gold, by
-- appending: a row is never updated.

create table if not exists gold.fct_sales (
    order_id number(18, 0) not null comment 'The order; unique',
    event_id number(18, 0) not null comment 'The event it came from: bronze.stg_purchases.event_id',
    customer_id number(18, 0) not null comment 'Who bought: gold.dim_customers.customer_id',
    customer_segment varchar comment 'Segment of the customer when the order was placed',
    ordered_at timestamp_ntz not null comment 'When the order was placed, UTC',
    order_date date not null comment 'The UTC day of ordered_at',
    sales_channel varchar comment 'web, app, store or phone',
    device varchar comment 'The device the order was placed with; null where there is none',
    payment_method varchar comment 'How it was paid',
    shipping_method varchar comment 'How it was shipped, or picked up',
    warehouse_id number(9, 0) comment 'The warehouse that ships: reference_data.warehouses; null for store pick-up',
    ship_state varchar comment 'State it is shipped to, two letters',
    is_repeat_customer boolean comment 'Whether the customer has an earlier order',
    currency varchar comment 'Currency of all amounts, USD',
    line_count number(9, 0) not null comment 'Number of order lines',
    item_count number(12, 0) not null comment 'Pieces bought',
    subtotal number(12, 2) not null comment 'Sum of quantity x unit_price over the lines',
    discount_total number(12, 2) not null comment 'Sum of the discounts of the lines',
    tax_total number(12, 2) not null comment 'Sales tax',
    shipping_total number(12, 2) not null comment 'What the customer paid for shipping',
    final_total number(12, 2) not null comment 'What the customer paid: subtotal - discount_total + tax_total + shipping_total',
    cost_total number(12, 2) not null comment 'What the goods cost us: sum of quantity x unit_cost over the lines',
    margin number(12, 2) not null comment 'What the goods earned: subtotal - discount_total - cost_total; without shipping, before returns',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the order',
    loaded_at timestamp_ntz not null comment 'When the row reached gold, UTC'
)
comment = 'Sales as they were placed, amounts in USD. One row per order.';

grant select on table gold.fct_sales to application role app_analyst;
