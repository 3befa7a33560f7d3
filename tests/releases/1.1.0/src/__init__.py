"""A retail business as pure functions: the same arguments give the same events, on any machine, in any order."""
