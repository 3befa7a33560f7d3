-- Who has bought before: so that an order knows whether it is a first one without a look at all orders there ever were. First is what was
-- made first: an order that a later fill of a gap puts before it is none, since the one that landed as first stays it.

create table if not exists truth.first_orders (
    customer_id number(18, 0) not null comment 'The customer: truth.customers.customer_id',
    order_id number(18, 0) not null comment 'The first order: truth.orders.order_id'
)
comment = 'First orders. One row per customer who has ordered.';

grant select on table truth.first_orders to application role app_truth;
