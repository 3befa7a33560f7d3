-- Returned goods. Filled by core.transform_bronze_to_gold, by appending: a row is never updated. A return may arrive before its order.

create table if not exists gold.fct_returns (
    return_id number(18, 0) not null comment 'The return; unique',
    event_id number(18, 0) not null comment 'The event it came from: bronze.stg_returns.event_id',
    order_id number(18, 0) not null comment 'The order the goods came from: gold.fct_sales.order_id',
    line_number number(9, 0) not null comment 'The line of that order: gold.fct_sale_lines.line_number',
    customer_id number(18, 0) not null comment 'Who returned: gold.dim_customers.customer_id',
    product_id number(18, 0) comment 'The product',
    category_name varchar comment 'Its category: reference_data.product_categories.category_name',
    quantity number(9, 0) not null comment 'Pieces returned',
    refund_total number(12, 2) not null comment 'What was paid back, USD; to be taken from final_total of the sale',
    reason varchar comment 'Why it came back',
    returned_at timestamp_ntz not null comment 'When it came back, UTC',
    return_date date not null comment 'The UTC day of returned_at',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the return',
    loaded_at timestamp_ntz not null comment 'When the row reached gold, UTC'
)
comment = 'Goods that came back, amounts in USD. One row per return.';

grant select on table gold.fct_returns to application role app_analyst;
