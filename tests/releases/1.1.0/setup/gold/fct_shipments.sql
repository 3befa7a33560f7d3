-- The way of an order out of its warehouse. Filled by core.transform_bronze_to_gold: each movement adds its instant, and since the
-- earliest instant and the longest delay are kept, doubled movements and any order of arrival give the same row.

create table if not exists gold.fct_shipments (
    order_id number(18, 0) not null comment 'The order that is shipped: gold.fct_sales.order_id; unique',
    warehouse_id number(9, 0) comment 'The warehouse that ships: reference_data.warehouses.warehouse_id',
    quantity number(12, 0) comment 'Pieces shipped',
    picked_at timestamp_ntz comment 'When the goods were picked, UTC; null before',
    shipped_at timestamp_ntz comment 'When they left the warehouse, UTC; null before',
    delivered_at timestamp_ntz comment 'When they arrived, UTC; null before',
    delay_days number(9, 2) not null comment 'Days of delay that were announced; 0 where it is on time',
    delay_reason varchar comment 'Why it is late; null where it is not',
    batch_number number(18, 0) not null comment 'The newest bronze batch that brought a movement of the order',
    changed_at timestamp_ntz not null comment 'When a batch last changed the row, UTC'
)
comment = 'Shipments with the instants of their steps. One row per order that a warehouse ships.';

grant select on table gold.fct_shipments to application role app_analyst;
