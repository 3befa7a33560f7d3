-- What gold.customer_model held before each fit. core.undo_customer_model_fit takes the newest of it back.

create table if not exists gold.customer_model_history (
    replaced_by varchar not null comment 'The run whose fit took the row''s place: audit.pipeline_runs.run_id',
    replaced_at timestamp_ntz not null comment 'When, UTC',
    customer_segment varchar not null comment 'As in gold.customer_model, as all that follows',
    rate_shape number(12, 6) not null comment 'r: shape of the order rates',
    rate_scale_weeks number(12, 6) not null comment 'alpha: rate_shape / mean orders per week while active',
    dropout_shape number(12, 6) not null comment 's: shape of the dropout rates',
    dropout_scale_weeks number(12, 6) not null comment 'beta: weeks',
    value_shape number(12, 6) not null comment 'p: evenness of the orders of one customer',
    spread_shape number(12, 6) not null comment 'q: evenness between customers',
    mean_order_value number(12, 2) not null comment 'Mean final_total of an order, USD',
    margin_share number(9, 6) not null comment 'Margin as a share of final_total',
    fitted_at timestamp_ntz comment 'When the row had been fitted, UTC; null for the defaults',
    run_id varchar comment 'The run that had fitted it; null for the defaults'
)
comment = 'Earlier parameters of the purchase model. One row per customer segment and fit that replaced it.';

grant select on table gold.customer_model_history to application role app_analyst;
