"""The files here are output to compare with, not modules to collect tests from."""

collect_ignore_glob = ["*.py"]
