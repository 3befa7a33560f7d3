-- All that fits a table of bronze, whatever its kind: what raw, or quarantine, is compared with.

create or replace view bronze.typed_events (
    event_id comment 'The raw event; unique',
    batch_number comment 'The bronze batch that brought it',
    loaded_at comment 'When it reached bronze, UTC'
)
copy grants
comment = 'Events that bronze holds, of every kind. One row per event.'
as
select event_id, batch_number, loaded_at from bronze.stg_customers
union all
select event_id, batch_number, loaded_at from bronze.stg_purchases
union all
select event_id, batch_number, loaded_at from bronze.stg_returns
union all
select event_id, batch_number, loaded_at from bronze.stg_marketing_touches
union all
select event_id, batch_number, loaded_at from bronze.stg_supply_chain;

grant select on view bronze.typed_events to application role app_analyst;
