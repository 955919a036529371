"""The files here are run by ``tests/test_errors.py``; none is a module of tests."""

collect_ignore_glob = ["*.py"]
