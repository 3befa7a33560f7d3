-- Movements of goods, typed. Filled by core.transform_raw_to_bronze.

create table if not exists bronze.stg_supply_chain (
    event_id number(18, 0) not null comment 'The raw event this row came from; unique',
    movement_id number(18, 0) not null comment 'The movement',
    movement_type varchar not null comment 'pick, ship, deliver, delay, restock or stock_out',
    order_id number(18, 0) comment 'The order that is moved; null for restock and stock_out',
    warehouse_id number(9, 0) comment 'The warehouse: reference_data.warehouses.warehouse_id',
    category_name varchar comment 'The category: reference_data.product_categories.category_name',
    quantity number(12, 0) comment 'Pieces moved',
    delay_days number(9, 2) comment 'Days of delay; null or 0 where it is on time',
    reason varchar comment 'Why it is late or out of stock',
    occurred_at timestamp_ntz not null comment 'When it happened, UTC',
    run_id varchar not null comment 'The run that generated the event',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the row; grows by one per batch',
    loaded_at timestamp_ntz not null comment 'When the row reached bronze, UTC'
)
comment = 'Movements of goods through the warehouses. One row per supply_chain event.';

grant select on table bronze.stg_supply_chain to application role app_analyst;
