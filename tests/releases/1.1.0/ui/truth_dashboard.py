"""What whoever holds APP_TRUTH sees: how well gold guesses what only the generator knows."""

import frame

frame.show({"app_truth"})
