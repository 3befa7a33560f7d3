-- The app's face: all five pages with every lever, for whoever holds APP_ADMIN.

create or replace streamlit ui.dashboard
from '/ui'
main_file = 'dashboard.py'
comment = 'Watch the business, run it, change it';

grant usage on streamlit ui.dashboard to application role app_admin;
