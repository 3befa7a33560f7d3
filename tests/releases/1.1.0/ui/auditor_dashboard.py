"""What whoever holds APP_AUDITOR sees."""

import frame

frame.show({"app_auditor"})
