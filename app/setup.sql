-- What the app is made of, in the order in which data passes through it: a table of contents, nothing else.
-- Ordinary schemas keep the consumer's data over upgrades and change by addition only. Versioned schemas hold code, and are
-- rebuilt, with every grant, by each version. The script can stop after any statement and be run again.

create application role if not exists app_admin comment = 'Configures and runs the app; reads everything but the truth';
create application role if not exists app_analyst comment = 'Reads bronze and gold';
create application role if not exists app_auditor comment = 'Reads the record of runs and settings';
create application role if not exists app_truth comment = 'Reads what the generator knows and the pipeline never sees';
grant application role app_analyst to application role app_admin;
grant application role app_auditor to application role app_admin;

create schema if not exists reference_data comment = 'What the business is like; yours to change';
grant usage on schema reference_data to application role app_analyst;
grant usage on schema reference_data to application role app_auditor;
execute immediate from './setup/reference_data/customer_segments.sql';
execute immediate from './setup/reference_data/product_categories.sql';
execute immediate from './setup/reference_data/product_category_details.sql';
execute immediate from './setup/reference_data/marketing_channels.sql';
execute immediate from './setup/reference_data/marketing_campaigns.sql';
execute immediate from './setup/reference_data/warehouses.sql';
execute immediate from './setup/reference_data/generation_parameters.sql';
execute immediate from './setup/reference_data/data_generation_audit.sql';

create schema if not exists truth comment = 'What the generator knows of its customers and orders; the pipeline never reads it';
grant usage on schema truth to application role app_truth;
execute immediate from './setup/truth/customers.sql';
execute immediate from './setup/truth/orders.sql';
execute immediate from './setup/truth/first_orders.sql';
execute immediate from './setup/truth/event_causes.sql';

create schema if not exists pipeline comment = 'The tasks, and what the app must remember from run to run';
grant usage on schema pipeline to application role app_admin;
execute immediate from './setup/pipeline/generation_state.sql';
execute immediate from './setup/pipeline/due_events.sql';
execute immediate from './setup/pipeline/historical_chunks.sql';
execute immediate from './setup/pipeline/wishes.sql';
execute immediate from './setup/pipeline/notices.sql';
execute immediate from './setup/pipeline/progress.sql';
execute immediate from './setup/pipeline/retention.sql';

create schema if not exists raw_data comment = 'Events as they were generated, JSON';
grant usage on schema raw_data to application role app_admin;
execute immediate from './setup/raw_data/raw_retail_events.sql';
execute immediate from './setup/raw_data/raw_retail_events_stream.sql';

create schema if not exists bronze comment = 'Events with types, each once';
grant usage on schema bronze to application role app_analyst;
execute immediate from './setup/bronze/arrivals.sql';
execute immediate from './setup/bronze/stg_customers.sql';
execute immediate from './setup/bronze/stg_purchases.sql';
execute immediate from './setup/bronze/stg_purchase_lines.sql';
execute immediate from './setup/bronze/stg_returns.sql';
execute immediate from './setup/bronze/stg_marketing_touches.sql';
execute immediate from './setup/bronze/stg_supply_chain.sql';
execute immediate from './setup/bronze/typed_events.sql';
execute immediate from './setup/bronze/quarantined_events.sql';

create schema if not exists gold comment = 'Customers and sales, ready for use';
grant usage on schema gold to application role app_analyst;
execute immediate from './setup/gold/customer_profiles.sql';
execute immediate from './setup/gold/customer_statistics.sql';
execute immediate from './setup/gold/customer_model.sql';
execute immediate from './setup/gold/customer_model_history.sql';
execute immediate from './setup/gold/business_calendar.sql';
execute immediate from './setup/gold/customer_histories.sql';
execute immediate from './setup/gold/customer_engagement.sql';
execute immediate from './setup/gold/dim_customers.sql';
execute immediate from './setup/gold/fct_sales.sql';
execute immediate from './setup/gold/fct_sale_lines.sql';
execute immediate from './setup/gold/customer_affinities.sql';
execute immediate from './setup/gold/fct_returns.sql';
execute immediate from './setup/gold/fct_marketing_touches.sql';
execute immediate from './setup/gold/fct_shipments.sql';
execute immediate from './setup/gold/fct_stock_movements.sql';
execute immediate from './setup/gold/dim_products.sql';
execute immediate from './setup/gold/dim_dates.sql';
execute immediate from './setup/gold/daily_revenue.sql';
execute immediate from './setup/gold/daily_marketing.sql';
execute immediate from './setup/gold/product_prices.sql';
execute immediate from './setup/gold/returned_goods.sql';
execute immediate from './setup/gold/monthly_profit_and_loss.sql';
execute immediate from './setup/gold/customer_profitability.sql';
execute immediate from './setup/gold/customer_cohorts.sql';
execute immediate from './setup/gold/customer_rfm.sql';
execute immediate from './setup/gold/customer_timeline.sql';
execute immediate from './setup/gold/campaign_performance.sql';
execute immediate from './setup/gold/daily_regions.sql';
execute immediate from './setup/gold/daily_stock.sql';
execute immediate from './setup/gold/daily_fulfilment.sql';
execute immediate from './setup/truth/customer_expectations.sql';

create or alter versioned schema core comment = 'What can be called';
grant usage on schema core to application role app_analyst;
grant usage on schema core to application role app_auditor;
execute immediate from './setup/core/sign_ups.sql';
execute immediate from './setup/core/order_draws.sql';
execute immediate from './setup/core/purchase_events.sql';
execute immediate from './setup/core/fulfilment_events.sql';
execute immediate from './setup/core/marketing_events.sql';
execute immediate from './setup/core/generate_batch.sql';
execute immediate from './setup/core/configuration_faults.sql';
execute immediate from './setup/core/validate_configuration.sql';
execute immediate from './setup/core/replay_comparison.sql';
execute immediate from './setup/core/replay_run.sql';
execute immediate from './setup/core/restore_configuration.sql';
execute immediate from './setup/core/save_configuration.sql';
execute immediate from './setup/core/transform_raw_to_bronze.sql';
execute immediate from './setup/core/transform_bronze_to_gold.sql';
execute immediate from './setup/core/rebuild_gold.sql';
execute immediate from './setup/core/fit_customer_model.sql';
execute immediate from './setup/core/undo_customer_model_fit.sql';
execute immediate from './setup/core/release_quarantined_events.sql';
execute immediate from './setup/core/generate_retail_data.sql';
execute immediate from './setup/core/plan_history.sql';
execute immediate from './setup/core/generate_chunk.sql';
execute immediate from './setup/core/generate_historical_data.sql';
execute immediate from './setup/core/stop_historical_data.sql';
execute immediate from './setup/core/customer_features.sql';
execute immediate from './setup/core/data_summary.sql';
execute immediate from './setup/core/purge_events.sql';
execute immediate from './setup/core/build_task_graph.sql';
execute immediate from './setup/core/start_pipeline.sql';
execute immediate from './setup/core/stop_pipeline.sql';
execute immediate from './setup/core/repair_stream.sql';
execute immediate from './setup/core/reset_data.sql';
execute immediate from './setup/core/configure_pipeline.sql';
execute immediate from './setup/core/check_pipeline_status.sql';
execute immediate from './setup/core/view_reference_config.sql';
execute immediate from './setup/core/view_generation_audit.sql';
execute immediate from './setup/core/view_run_snapshot.sql';
execute immediate from './setup/core/compare_generation_runs.sql';
execute immediate from './setup/core/initialize_version.sql';

create or alter versioned schema audit comment = 'The record of runs and settings; nobody can write it';
grant usage on schema audit to application role app_auditor;
execute immediate from './setup/audit/generation_runs.sql';
execute immediate from './setup/audit/generation_gaps.sql';
execute immediate from './setup/audit/pipeline_runs.sql';
execute immediate from './setup/audit/run_settings.sql';
execute immediate from './setup/audit/configuration_changes.sql';

create or alter versioned schema ui comment = 'Dashboards, one for each role';
grant usage on schema ui to application role app_admin;
grant usage on schema ui to application role app_analyst;
grant usage on schema ui to application role app_auditor;
grant usage on schema ui to application role app_truth;
execute immediate from './setup/ui/dashboard.sql';
execute immediate from './setup/ui/analyst_dashboard.sql';
execute immediate from './setup/ui/auditor_dashboard.sql';
execute immediate from './setup/ui/truth_dashboard.sql';

-- Builds the tasks, and starts them if they were started. A refusal is recorded in pipeline.notices, and fails nothing.
call core.initialize_version();
