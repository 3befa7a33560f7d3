-- Products as they were last sold, and what became of their sales. Filled by core.transform_bronze_to_gold, which adds the lines and returns
-- of a batch: the newest line by time names and prices the product, so any order of arrival gives the same row. Price history:
-- gold.product_prices.

create table if not exists gold.dim_products (
    product_id number(18, 0) not null comment 'The product; unique',
    product_name varchar comment 'Its name; null while it is known from a return only, as is all up to last_order_id',
    category_name varchar comment 'Its category: reference_data.product_categories.category_name',
    subcategory varchar comment 'Its sub-category',
    brand varchar comment 'Its brand',
    current_price number(12, 2) comment 'List price when it was last sold',
    current_cost number(12, 2) comment 'What a piece cost us when it was last sold',
    first_sold_at timestamp_ntz comment 'When it was first sold, UTC',
    last_sold_at timestamp_ntz comment 'When it was last sold, UTC',
    last_order_id number(18, 0) comment 'The order in which it was last sold: gold.fct_sales.order_id',
    line_count number(12, 0) not null comment 'Order lines it stands in',
    items number(18, 0) not null comment 'Pieces sold',
    gross_revenue number(18, 2) not null comment 'Sum of quantity x unit_price over its lines',
    discount_total number(18, 2) not null comment 'Sum of the discounts of its lines',
    net_revenue number(18, 2) not null comment 'gross_revenue - discount_total',
    cost_total number(18, 2) not null comment 'Sum of quantity x unit_cost over its lines',
    margin number(18, 2) not null comment 'net_revenue - cost_total; before returns',
    return_count number(12, 0) not null comment 'Returns of it',
    returned_items number(18, 0) not null comment 'Pieces that came back',
    refund_total number(18, 2) not null comment 'What was paid back for them',
    changed_at timestamp_ntz not null comment 'When a batch last changed the row, UTC'
)
comment = 'Products, amounts in USD; sums over gold.fct_sale_lines and gold.fct_returns. One row per product.';

grant select on table gold.dim_products to application role app_analyst;
