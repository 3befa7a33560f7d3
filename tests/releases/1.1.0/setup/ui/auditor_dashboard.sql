-- The record of runs, for whoever holds APP_AUDITOR.

create or replace streamlit ui.auditor_dashboard
from '/ui'
main_file = 'auditor_dashboard.py'
comment = 'Runs, what shaped them, and their replay';

grant usage on streamlit ui.auditor_dashboard to application role app_auditor;
