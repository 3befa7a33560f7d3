-- What was bought in the orders of gold.fct_sales. Filled by core.transform_bronze_to_gold, by appending.

create table if not exists gold.fct_sale_lines (
    order_id number(18, 0) not null comment 'The order: gold.fct_sales.order_id',
    line_number number(9, 0) not null comment 'Number of the line in its order, from 1',
    customer_id number(18, 0) not null comment 'Who bought: gold.dim_customers.customer_id',
    ordered_at timestamp_ntz not null comment 'When the order was placed, UTC',
    order_date date not null comment 'The UTC day of ordered_at',
    product_id number(18, 0) not null comment 'The product',
    product_name varchar comment 'Name of the product',
    category_name varchar comment 'Its category: reference_data.product_categories.category_name',
    subcategory varchar comment 'Its sub-category',
    brand varchar comment 'Its brand',
    quantity number(9, 0) not null comment 'Pieces bought',
    unit_price number(12, 2) not null comment 'List price of a piece',
    unit_cost number(12, 2) not null comment 'What a piece cost us',
    discount_amount number(12, 2) not null comment 'Discount on the whole line',
    line_total number(12, 2) not null comment 'quantity x unit_price - discount_amount',
    margin number(12, 2) not null comment 'line_total - quantity x unit_cost',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the order'
)
comment = 'Lines of sales, amounts in USD; they add up to gold.fct_sales. One row per order line.';

grant select on table gold.fct_sale_lines to application role app_analyst;
