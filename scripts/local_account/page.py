"""The process that serves a Streamlit object: the real Streamlit, over the files that the account keeps, in a session of the object's owner."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from local_account import worker


def serve(
    account: dict[str, Any], host: str, port: int, headless: bool, files: str, main_file: str, password: str
) -> None:
    """Serves until the process is told to stop. All browsers share the one session; on Snowflake each has its own."""
    from streamlit.web import bootstrap

    os.chdir(files)
    worker.prepare()
    worker.open_session({**account, "password": password})  # from here on it is the one that get_active_session gives
    options = {
        "server_address": host,
        "server_port": port,
        "server_headless": headless,
        "server_fileWatcherType": "none",  # the files of an object never change
        "browser_serverAddress": host,
        "browser_gatherUsageStats": False,
        "client_toolbarMode": "viewer",
        "global_developmentMode": False,
    }
    bootstrap.load_config_options(options)
    sys.argv = ["streamlit", "run", main_file]
    bootstrap.run(str(Path(files, main_file)), False, [], options)
