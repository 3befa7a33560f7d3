-- Sales and customers, for whoever holds APP_ANALYST.

create or replace streamlit ui.analyst_dashboard
from '/ui'
main_file = 'analyst_dashboard.py'
comment = 'Sales and customers';

grant usage on streamlit ui.analyst_dashboard to application role app_analyst;
