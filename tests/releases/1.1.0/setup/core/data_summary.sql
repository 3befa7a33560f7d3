create or replace procedure core.data_summary()
returns table (layer varchar, table_name varchar, row_count number, newest_at timestamp_ntz)
language sql
comment = 'Rows of every table of every layer, and when the newest of them was written or happened'
execute as owner
as
$$
declare
    summary resultset default (
        select layer, table_name, row_count, newest_at
        from (
            select 1 as place, 'raw_data' as layer, 'raw_retail_events' as table_name, count(*) as row_count, max(created_at) as newest_at
            from raw_data.raw_retail_events
            union all
            select 2, 'bronze', 'stg_customers', count(*), max(loaded_at) from bronze.stg_customers
            union all
            select 3, 'bronze', 'stg_purchases', count(*), max(loaded_at) from bronze.stg_purchases
            union all
            select 4, 'bronze', 'stg_purchase_lines', count(*), null from bronze.stg_purchase_lines
            union all
            select 5, 'bronze', 'stg_returns', count(*), max(loaded_at) from bronze.stg_returns
            union all
            select 6, 'bronze', 'stg_marketing_touches', count(*), max(loaded_at) from bronze.stg_marketing_touches
            union all
            select 7, 'bronze', 'stg_supply_chain', count(*), max(loaded_at) from bronze.stg_supply_chain
            union all
            select 8, 'bronze', 'quarantined_events', count(*), max(quarantined_at) from bronze.quarantined_events
            union all
            select 9, 'gold', 'dim_customers', count(*), max(changed_at) from gold.customer_statistics
            union all
            select 10, 'gold', 'fct_sales', count(*), max(loaded_at) from gold.fct_sales
            union all
            select 11, 'gold', 'fct_sale_lines', count(*), null from gold.fct_sale_lines
            union all
            select 12, 'gold', 'fct_returns', count(*), max(loaded_at) from gold.fct_returns
            union all
            select 13, 'gold', 'fct_marketing_touches', count(*), max(loaded_at) from gold.fct_marketing_touches
            union all
            select 14, 'gold', 'fct_shipments', count(*), max(changed_at) from gold.fct_shipments
            union all
            select 15, 'gold', 'fct_stock_movements', count(*), max(loaded_at) from gold.fct_stock_movements
            union all
            select 16, 'gold', 'dim_products', count(*), max(changed_at) from gold.dim_products
            union all
            select 17, 'gold', 'daily_revenue', count(*), max(changed_at) from gold.daily_revenue
            union all
            select 18, 'gold', 'daily_marketing', count(*), max(changed_at) from gold.daily_marketing
        )
        order by place
    );
begin
    return table(summary);
end;
$$;

grant usage on procedure core.data_summary() to application role app_analyst;
