-- Puts back the parameters that the last fit replaced; called again, those before them.

create or replace procedure core.undo_customer_model_fit()
returns varchar
language sql
comment = 'Takes the last fit of the purchase model back'
execute as owner
as
$$
declare
    run_id varchar default uuid_string();
    started_at timestamp_ntz default sysdate();
    undone varchar;
    parameters number;
    reason varchar;
    nothing_to_undo exception (-20051, 'Nothing was changed: gold.customer_model holds the parameters of the installation. CALL core.fit_customer_model() fits them to the data.');
begin
    insert into reference_data.data_generation_audit (run_id, run_timestamp, run_type, status)
    select :run_id, :started_at, 'MODEL', 'RUNNING';

    begin
        begin transaction;

        -- Holds the model: a fit at the same moment waits, or was waited for.
        update gold.customer_model set fitted_at = fitted_at where customer_segment = '*';
        select max(model.run_id) into :undone from gold.customer_model as model where model.customer_segment = '*';
        if (undone is null) then
            raise nothing_to_undo;
        end if;

        delete from gold.customer_model;
        insert into gold.customer_model (
            customer_segment, rate_shape, rate_scale_weeks, dropout_shape, dropout_scale_weeks, value_shape, spread_shape,
            mean_order_value, margin_share, fitted_at, run_id
        )
        select
            earlier.customer_segment, earlier.rate_shape, earlier.rate_scale_weeks, earlier.dropout_shape, earlier.dropout_scale_weeks,
            earlier.value_shape, earlier.spread_shape, earlier.mean_order_value, earlier.margin_share, earlier.fitted_at, earlier.run_id
        from gold.customer_model_history as earlier
        where earlier.replaced_by = :undone;
        parameters := sqlrowcount;
        delete from gold.customer_model_history where replaced_by = :undone;

        update reference_data.data_generation_audit
        set
            status = 'COMPLETED',
            generated_counts = object_construct('undone_run', :undone, 'customer_model', :parameters),
            summary = 'Took back what run ' || :undone || ' had fitted.',
            execution_seconds = datediff('millisecond', :started_at, sysdate()) / 1000
        where run_id = :run_id;

        commit;
    exception
        when other then
            reason := sqlerrm;
            rollback;
            update reference_data.data_generation_audit
            set
                status = 'FAILED',
                error_message = :reason,
                execution_seconds = datediff('millisecond', :started_at, sysdate()) / 1000
            where run_id = :run_id;
            raise;
    end;

    return 'What run ' || undone || ' had fitted was taken back; gold.dim_customers uses the parameters before it.';
end;
$$;

grant usage on procedure core.undo_customer_model_fit() to application role app_admin;
