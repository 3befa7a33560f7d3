-- What came back, with what is known of it from its order: who bought it where, and what it is worth. A view, because a return may arrive
-- before its order does. Here stands the rule for what can be sold again; gold.daily_revenue and gold.customer_profitability sum it up.

create or replace view gold.returned_goods (
    return_id comment 'The return: gold.fct_returns.return_id; unique',
    order_id comment 'The order the goods came from: gold.fct_sales.order_id',
    line_number comment 'The line of that order: gold.fct_sale_lines.line_number',
    customer_id comment 'Who returned: gold.dim_customers.customer_id',
    product_id comment 'The product: gold.dim_products.product_id',
    category_name comment 'reference_data.product_categories.category_name; unknown where nobody told',
    customer_segment comment 'Segment of the customer when the order was placed; unknown until that has arrived',
    sales_channel comment 'web, app, store or phone; unknown until the order has arrived',
    reason comment 'Why it came back',
    returned_at comment 'When it came back, UTC',
    return_date comment 'The UTC day of returned_at',
    quantity comment 'Pieces returned',
    refund_total comment 'What was paid back',
    recovered_cost comment 'What the goods had cost us, if they can be sold again: all but the defective; 0 until their order has arrived',
    batch_number comment 'The bronze batch that brought the return',
    order_batch_number comment 'The bronze batch that brought the order; null until then'
)
copy grants
comment = 'Returns with the order they belong to, amounts in USD. One row per return.'
as
select
    returned.return_id,
    returned.order_id,
    returned.line_number,
    returned.customer_id,
    returned.product_id,
    coalesce(returned.category_name, 'unknown') as category_name,
    coalesce(sales.customer_segment, 'unknown') as customer_segment,
    coalesce(sales.sales_channel, 'unknown') as sales_channel,
    returned.reason,
    returned.returned_at,
    returned.return_date,
    returned.quantity,
    returned.refund_total,
    iff(returned.reason = 'defective', 0, coalesce(returned.quantity * lines.unit_cost, 0)) as recovered_cost,
    returned.batch_number,
    sales.batch_number as order_batch_number
from gold.fct_returns as returned
left join gold.fct_sales as sales
    on returned.order_id = sales.order_id
left join gold.fct_sale_lines as lines
    on returned.order_id = lines.order_id and returned.line_number = lines.line_number;

grant select on view gold.returned_goods to application role app_analyst;
