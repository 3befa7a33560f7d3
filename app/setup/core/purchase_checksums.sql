-- Orders with their customers' traits -> how many they are, and a sum over hashes of their typed purchases, free of order.
-- Called OVER (PARTITION BY shard), with the configuration's text in the first row of each partition only. Instants (_ms) are
-- milliseconds since 2000-01-01 00:00 UTC. Granted to nobody: core.generate_batch calls it.

create or replace function core.purchase_checksums(
    configuration varchar,
    order_id number(18, 0),
    customer_id number(18, 0),
    ordered_ms number(18, 0),
    is_first boolean,
    customer_segment varchar,
    time_zone varchar,
    state varchar,
    price_sensitivity number(4, 0),
    favourite_category varchar,
    preferred_channel varchar,
    value_factor number(18, 0)
)
returns table (
    order_count number(9, 0),
    checksum number(18, 0)
)
language python
runtime_version = '3.11'
packages = ('numpy', 'pandas')
imports = (<% ctx.env.generator_imports %>)
handler = 'retail_stream_entry.PurchaseChecksums';
