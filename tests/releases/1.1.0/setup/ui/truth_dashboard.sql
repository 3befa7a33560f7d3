-- How well gold guesses what only the generator knows, for whoever holds APP_TRUTH.

create or replace streamlit ui.truth_dashboard
from '/ui'
main_file = 'truth_dashboard.py'
comment = 'Calibration of churn probability and lifetime value';

grant usage on streamlit ui.truth_dashboard to application role app_truth;
