-- The parameters of the purchase model behind churn_probability and lifetime_value of gold.dim_customers.
--
-- The model: a customer orders at a rate of the own, Gamma(rate_shape, rate_scale_weeks) over customers, until the moment of
-- dropping out, whose rate is Gamma(dropout_shape, dropout_scale_weeks); the worth of an order varies within a customer with shape
-- value_shape and between customers with shape spread_shape, around mean_order_value. (Pareto/NBD with gamma-gamma values:
-- Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005.) Weeks are weeks of business: gold.business_calendar.
-- The default rows are those of the default settings; core.fit_customer_model puts what fits the data best in their place.

create table if not exists gold.customer_model (
    customer_segment varchar not null comment 'The segment; the row ''*'' serves every segment that has none',
    rate_shape number(12, 6) not null comment 'r: shape of the order rates; the smaller, the more they differ',
    rate_scale_weeks number(12, 6) not null comment 'alpha: rate_shape / mean orders per week while active',
    dropout_shape number(12, 6) not null comment 's: shape of the dropout rates; not 1',
    dropout_scale_weeks number(12, 6) not null comment 'beta: weeks; the larger, the later customers drop out',
    value_shape number(12, 6) not null comment 'p: evenness of the orders of one customer',
    spread_shape number(12, 6) not null comment 'q: evenness between customers; above 1',
    mean_order_value number(12, 2) not null comment 'Mean final_total of an order, USD',
    margin_share number(9, 6) not null comment 'Margin as a share of final_total, before anything is known of the customer',
    fitted_at timestamp_ntz comment 'When the row was fitted to data, UTC; null for the defaults',
    run_id varchar comment 'The run that fitted it: audit.pipeline_runs.run_id; null for the defaults'
)
comment = 'Parameters of the purchase model. One row per customer segment.';

alter table gold.customer_model add column if not exists run_id varchar comment 'The run that fitted it: audit.pipeline_runs.run_id; null for the defaults';

merge into gold.customer_model
using (
    select 'premium' as customer_segment, 5.714286 as rate_scale_weeks, 150.00 as mean_order_value
    union all
    select 'regular', 11.688312, 75.00
    union all
    select 'occasional', 32.142857, 60.00
    union all
    select '*', 11.688312, 75.00
) as defaults
    on customer_model.customer_segment = defaults.customer_segment
when not matched then
    insert (
        customer_segment, rate_shape, rate_scale_weeks, dropout_shape, dropout_scale_weeks,
        value_shape, spread_shape, mean_order_value, margin_share, fitted_at
    )
    values (
        defaults.customer_segment, 0.6, defaults.rate_scale_weeks, 0.45, 20,
        3.3, 11, defaults.mean_order_value, 0.35, null
    );

grant select on table gold.customer_model to application role app_analyst;
