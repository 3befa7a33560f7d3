-- Fits the purchase model to the customers' histories as gold has them: the parameters in gold.customer_model from which gold.dim_customers
-- reckons churn_probability and lifetime_value. The statistics are summed up in SQL, so that a million customers are some thousands of rows.
-- With too little data it refuses, and the parameters stay.

create or replace procedure core.fit_customer_model()
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas', 'scipy')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.fit_customer_model'
comment = 'Fits the parameters of churn probability and lifetime value to the data at hand; the earlier ones are kept'
execute as owner;

grant usage on procedure core.fit_customer_model() to application role app_admin;
