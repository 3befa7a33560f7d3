-- What was sold and what came back, by day: the one place from which revenue, margin and profit are summed. Filled by
-- core.transform_bronze_to_gold, which adds the sales and returns of a batch. Sales count on the day of the order, returns on the day on which
-- they came back, under the segment and channel of their order; under 'unknown' until that has arrived.

create table if not exists gold.daily_revenue (
    revenue_date date not null comment 'The UTC day: gold.dim_dates.calendar_date',
    customer_segment varchar not null comment 'Segment of the customer when the order was placed; unknown where nobody told',
    sales_channel varchar not null comment 'web, app, store or phone; unknown where nobody told',
    category_name varchar not null comment 'reference_data.product_categories.category_name; unknown where nobody told',
    orders number(12, 0) not null comment 'Orders, each in the category of its first line only, so that they add up',
    first_orders number(12, 0) not null comment 'Those of orders whose customer had none before',
    line_count number(12, 0) not null comment 'Order lines',
    items number(18, 0) not null comment 'Pieces sold',
    gross_revenue number(18, 2) not null comment 'Sum of quantity x unit_price over the lines',
    discount_total number(18, 2) not null comment 'Sum of the discounts of the lines',
    net_revenue number(18, 2) not null comment 'gross_revenue - discount_total; before returns',
    tax_total number(18, 2) not null comment 'Sales tax of the orders, spread over their lines by line_total',
    shipping_total number(18, 2) not null comment 'What customers paid for shipping, spread over the lines by line_total',
    cost_total number(18, 2) not null comment 'Sum of quantity x unit_cost over the lines',
    margin number(18, 2) not null comment 'net_revenue - cost_total; before returns',
    return_count number(12, 0) not null comment 'Returns',
    returned_items number(18, 0) not null comment 'Pieces that came back',
    refund_total number(18, 2) not null comment 'What was paid back for them',
    recovered_cost number(18, 2) not null comment 'What they had cost us, for those that can be sold again: all but the defective',
    changed_at timestamp_ntz not null comment 'When a batch last changed the row, UTC'
)
comment = 'Sales and returns by day, amounts in USD; sums over gold.fct_sales, fct_sale_lines and returned_goods. One row per day, customer segment, sales channel and category.';

grant select on table gold.daily_revenue to application role app_analyst;
