-- The lines of the orders in bronze.stg_purchases. Filled by core.transform_raw_to_bronze.

create table if not exists bronze.stg_purchase_lines (
    event_id number(18, 0) not null comment 'The raw event this row came from: bronze.stg_purchases.event_id',
    order_id number(18, 0) not null comment 'The order',
    line_number number(9, 0) not null comment 'Number of the line in its order, from 1',
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
    batch_number number(18, 0) not null comment 'The bronze batch that brought the row; grows by one per batch'
)
comment = 'What was bought, amounts in USD. One row per order line.';

grant select on table bronze.stg_purchase_lines to application role app_analyst;
