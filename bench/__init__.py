"""Measurements of specc, each a ratio of two things that are timed in turns in one run.

``make bench`` runs them all and writes ``bench/results``; ``python -m bench NAME`` runs one.
"""
