-- Who was drawn to buy, and when.

create table if not exists truth.orders (
    order_id number(18, 0) not null comment 'The order''s number; grows with time within a run',
    customer_id number(18, 0) not null comment 'Who ordered: truth.customers.customer_id',
    slot number(9, 0) not null comment 'Half-hour of the order, counted from 2000-01-01 00:00 UTC',
    ordered_at timestamp_ntz not null comment 'When, UTC',
    is_first boolean not null comment 'Whether it is the customer''s first order',
    run_id varchar not null comment 'The run that made it'
)
comment = 'Draws of who buys. One row per order.';

grant select on table truth.orders to application role app_truth;
