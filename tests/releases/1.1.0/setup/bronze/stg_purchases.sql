-- Orders, typed; their lines stand in bronze.stg_purchase_lines. Filled by core.transform_raw_to_bronze.

create table if not exists bronze.stg_purchases (
    event_id number(18, 0) not null comment 'The raw event this row came from; unique',
    order_id number(18, 0) not null comment 'The order',
    customer_id number(18, 0) not null comment 'Who bought',
    customer_segment varchar comment 'Segment of the customer when the order was placed',
    ordered_at timestamp_ntz not null comment 'When the order was placed, UTC',
    sales_channel varchar comment 'web, app, store or phone',
    device varchar comment 'The device the order was placed with; null where there is none',
    payment_method varchar comment 'How it was paid',
    shipping_method varchar comment 'How it was shipped, or picked up',
    warehouse_id number(9, 0) comment 'The warehouse that ships: reference_data.warehouses; null for store pick-up',
    ship_state varchar comment 'State it is shipped to, two letters',
    is_repeat_customer boolean comment 'Whether the customer has an earlier order',
    currency varchar comment 'Currency of all amounts, USD',
    line_count number(9, 0) not null comment 'Number of order lines',
    subtotal number(12, 2) not null comment 'Sum of quantity x unit_price over the lines',
    discount_total number(12, 2) not null comment 'Sum of the discounts of the lines',
    tax_total number(12, 2) not null comment 'Sales tax',
    shipping_total number(12, 2) not null comment 'What the customer paid for shipping',
    final_total number(12, 2) not null comment 'subtotal - discount_total + tax_total + shipping_total',
    run_id varchar not null comment 'The run that generated the event',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the row; grows by one per batch',
    loaded_at timestamp_ntz not null comment 'When the row reached bronze, UTC'
)
comment = 'Orders as they were placed, amounts in USD. One row per purchase event.';

grant select on table bronze.stg_purchases to application role app_analyst;
