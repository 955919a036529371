"""``audited.py`` is a script that a test runs, not a module of tests."""

collect_ignore = ["audited.py"]
