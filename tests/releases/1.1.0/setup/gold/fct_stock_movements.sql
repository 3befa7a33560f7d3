-- When stock ran out and when it came back. Filled by core.transform_bronze_to_gold, by appending. What leaves for customers stands in
-- gold.fct_shipments; both together, by day: gold.daily_stock.

create table if not exists gold.fct_stock_movements (
    movement_id number(18, 0) not null comment 'The movement; unique',
    event_id number(18, 0) not null comment 'The event it came from: bronze.stg_supply_chain.event_id',
    movement_type varchar not null comment 'stock_out or restock',
    warehouse_id number(9, 0) comment 'The warehouse: reference_data.warehouses.warehouse_id',
    category_name varchar comment 'The category: reference_data.product_categories.category_name',
    quantity number(12, 0) comment 'Pieces that came; 0 for a stock_out',
    reason varchar comment 'Why, where it was told',
    occurred_at timestamp_ntz not null comment 'When it happened, UTC',
    movement_date date not null comment 'The UTC day of occurred_at',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the movement',
    loaded_at timestamp_ntz not null comment 'When the row reached gold, UTC'
)
comment = 'Stock that ran out and was filled up, in pieces. One row per movement that belongs to no order.';

grant select on table gold.fct_stock_movements to application role app_analyst;
