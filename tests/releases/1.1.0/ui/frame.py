"""The way from page to page."""

import configuration
import customers
import overview
import parts
import runs
import sales
import streamlit as st

PAGES = {"Overview": overview, "Sales": sales, "Customers": customers, "Configuration": configuration, "Runs": runs}


def show(roles: set[str]) -> None:
    """The page that is chosen, as far as the roles allow; the first one that they open, to begin with."""
    st.set_page_config(layout="wide")
    st.session_state.roles = roles
    usable = [name for name, page in PAGES.items() if page.ROLES & roles]
    name = parts.choice("Page", PAGES, "page", usable[0])
    st.title(name)
    parts.say_what_was_done()
    if not parts.lacks(f"The page {name}", PAGES[name].ROLES):
        with parts.refusals():
            PAGES[name].show()
