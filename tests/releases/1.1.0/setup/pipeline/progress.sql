-- How far each layer has come. A transformation updates its row first and so holds it until it commits:
-- two transformations of one layer that start at once run one after the other.

create table if not exists pipeline.progress (
    layer varchar not null
        comment 'BRONZE, GOLD (customers and sales), or a later part of gold that fills itself up: RETURNS, TOUCHES, SHIPMENTS',
    last_batch number(18, 0) not null comment 'The newest bronze batch that the layer holds; 0 before the first',
    changed_at timestamp_ntz not null comment 'When that batch was committed, UTC',
    summed_batch number(18, 0)
        comment 'GOLD only: the newest bronze batch that products, revenue and marketing by day hold; null where they are to be filled anew'
)
comment = 'The newest batch of each layer. One row per layer.';

-- A row of its own would be moved on by version 1.0.0, which sets all rows but BRONZE, and fills no such tables.
alter table pipeline.progress add column if not exists summed_batch number(18, 0)
    comment 'GOLD only: the newest bronze batch that products, revenue and marketing by day hold; null where they are to be filled anew';

merge into pipeline.progress
using (select column1 as layer from values ('BRONZE'), ('GOLD'), ('RETURNS'), ('TOUCHES'), ('SHIPMENTS')) as layers
    on progress.layer = layers.layer
when not matched then
    insert (layer, last_batch, changed_at)
    values (layers.layer, 0, sysdate());

grant select on table pipeline.progress to application role app_admin;
