"""What whoever holds APP_ANALYST sees."""

import frame

frame.show({"app_analyst"})
