-- Why touches, returns and delays happen: each has one cause, which is a sign-up, an order, a touch, a movement or a warehouse, and which can
-- have a cause of its own here. A row stands here from the order or sign-up on; its event follows when it is due.

create table if not exists truth.event_causes (
    event_type varchar not null comment 'return, marketing_touch or supply_chain, as in raw_data.raw_retail_events',
    event_number number(18, 0) not null comment 'The event: its return_id, touch_id or movement_id; unique within the type',
    cause varchar not null
        comment 'Of a touch: sign_up (it won a customer), effort (a click lost on the way to a sign-up), order (it reminds a buyer), impression (a click on one). Of a return: order_line (not wanted), delay (it came late). Of a delay: bad_day (of its warehouse), stock_out',
    caused_by number(18, 0) not null
        comment 'Of sign_up and effort the customer_id, of order and order_line the order_id, of impression the touch_id, of delay and stock_out the movement_id, of bad_day the warehouse_id',
    probability number(7, 6) not null
        comment 'How likely it was: that the click converts, or does not; that the impression is clicked; that the line comes back; that the day is bad and the order hit; that the category runs out',
    run_id varchar not null comment 'The run that fixed it'
)
comment = 'Causes of marketing touches, returns and delays, for runs from 1.1.0 on. One row per touch, return and delay.';

grant select on table truth.event_causes to application role app_truth;
