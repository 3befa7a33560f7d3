create or replace procedure core.view_reference_config()
returns table (table_name varchar, row_name varchar, settings variant)
language sql
comment = 'The configuration as it is now; the next run reads it'
execute as owner
as
$$
declare
    settings resultset default (
        select table_name, row_name, settings
        from (
            select 1 as place, 'customer_segments' as table_name, segment_name as row_name, object_construct(*)::variant as settings
            from reference_data.customer_segments
            union all
            select 2, 'product_categories', category_name, object_construct(*)::variant from reference_data.product_categories
            union all
            select 3, 'product_category_details', category_name, object_construct(*)::variant from reference_data.product_category_details
            union all
            select 4, 'marketing_channels', channel_name, object_construct(*)::variant from reference_data.marketing_channels
            union all
            select 5, 'marketing_campaigns', campaign_name, object_construct(*)::variant from reference_data.marketing_campaigns
            union all
            select 6, 'warehouses', warehouse_id::varchar, object_construct(*)::variant from reference_data.warehouses
            union all
            select 7, 'generation_parameters', parameter_name, object_construct(*)::variant from reference_data.generation_parameters
        )
        order by place, row_name
    );
begin
    return table(settings);
end;
$$;

grant usage on procedure core.view_reference_config() to application role app_auditor;
