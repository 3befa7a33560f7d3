-- Fits the purchase model to the customers' histories as gold has them: the parameters in gold.customer_model from which gold.dim_customers
-- reckons churn_probability and lifetime_value. The statistics are summed up in SQL, so that a million customers are some thousands of rows.
-- With too little data it refuses, and the parameters stay.

create or replace procedure core.fit_customer_model()
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas', 'scipy')
imports = (<% ctx.env.generator_imports %>)
handler = 'retail_stream_entry.fit_customer_model'
comment = 'Fits the parameters of churn probability and lifetime value to the data at hand; the earlier ones are kept'
execute as owner;

grant usage on procedure core.fit_customer_model() to application role app_admin;
