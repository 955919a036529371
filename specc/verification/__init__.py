"""Checks that two targets of one network agree. Needs torch and onnxruntime."""
