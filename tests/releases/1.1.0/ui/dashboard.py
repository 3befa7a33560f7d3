"""What whoever holds APP_ADMIN sees. The role inherits two others, and not APP_TRUTH."""

import frame

frame.show({"app_admin", "app_analyst", "app_auditor"})
